"""Measurements: each module is one `scripts/bench NAME`."""
