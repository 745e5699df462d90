"""Recordings afterwards: repair of what was cut off, mixing, other formats."""
