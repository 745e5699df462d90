"""Opus through libopus itself: what PyAV leaves out (FEC, concealment, controls) is what a voice call needs."""
