"""The voice format that every room shares: one channel of float32 at 48 kHz, in ticks of 10 ms.

Source: RFC 7587, section 4.1: the RTP clock of Opus is 48 kHz, whatever is coded inside.
"""

from typing import Final

SAMPLE_RATE_HZ: Final = 48_000
"""Samples a second of every block inside the program, and ticks a second of every RTP timestamp."""

TICK_MS: Final = 10
"""The step of the voice path: devices, playout and mixer work in blocks of this length."""

TICK_SAMPLES: Final = SAMPLE_RATE_HZ * TICK_MS // 1000
"""Samples in one tick: 480."""

LOWEST_GAIN_DB: Final = -60.0
HIGHEST_GAIN_DB: Final = 20.0
"""What may be turned up or down of one peer: a whisper becomes a voice with 20 dB, and no more than noise with more."""

SILENCE_DBOV: Final = -127
"""The audio level of digital silence (RFC 6464, section 3, as a negative dBov)."""

PRE_SKIP_SAMPLES: Final = 312
"""libopus's look-ahead for voice and music, which decoders leave out at the start (RFC 7845, section 4.2). `lowdelay` senders have 120."""
