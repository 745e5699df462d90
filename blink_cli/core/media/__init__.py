"""Packets of audio and what follows from them: RTP, RTCP, redundancy, losses, levels."""
