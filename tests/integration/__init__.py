"""Whole calls: real processes, real sockets, driven by the commands that users have."""
