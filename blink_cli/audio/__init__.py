"""Samples: devices, Opus, playout, mixer."""
