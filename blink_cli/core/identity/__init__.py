"""Who somebody is: keys, DIDs, and names that are only claimed."""
