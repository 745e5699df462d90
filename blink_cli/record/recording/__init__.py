"""A recording while it is made: a track for each voice, on one timeline."""
