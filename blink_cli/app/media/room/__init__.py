"""A call's media through a room on an SFU (docs/sfu.md)."""
