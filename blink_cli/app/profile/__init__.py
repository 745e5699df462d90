"""What a profile keeps on disk: key, lock, contacts, settings, devices, what was seen."""
