"""Loudness as people hear it, in LUFS: ITU-R BS.1770-4 and EBU R 128. Pure, streaming, of any rate and number of channels.

sound ──> K-weighting ──> power of each 100 ms ──> 0.4 s: momentary ──> gated mean of all: integrated
                                              └──> 3 s: short-term ──> gated spread of all: range
  └──> four times as many samples ──> true peak
"""
