"""The playout buffer: packets in at any time and order, ten milliseconds of sound out at every tick. See docs/playout.md."""
