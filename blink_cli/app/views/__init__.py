"""Builds replies from what the parts of a session know. Nothing here changes anything."""
