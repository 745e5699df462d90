"""Captures that other programs made: the container, the packets in it, the RTP streams among these."""
