"""Recorded speech for microphones: three voices made of one recording (see speech/README.md)."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.envelopes import Samples

SPEECH = Path(__file__).with_name("speech") / "speech.flac"

_PITCHES = (1.0, 0.84, 1.19)
"""How much faster each voice is played than it was recorded: as spoken, lower and slower, higher and faster."""


def read_mono(path: Path) -> Samples:
    """Read an audio file, mixed to one channel, at 48 kHz."""
    frames, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    mono = np.asarray(np.mean(frames, axis=1), np.float32)
    return (
        mono
        if rate_hz == SAMPLE_RATE_HZ
        else np.asarray(soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ), np.float32)
    )


def write_mono(path: Path, samples: Samples) -> Path:
    """Write 16-bit WAV at 48 kHz."""
    soundfile.write(path, samples, SAMPLE_RATE_HZ, subtype="PCM_16")
    return path


def write_exact_mono(path: Path, samples: Samples) -> Path:
    """Write WAV of 32-bit floating point at 48 kHz: what is read again is the same to the bit."""
    soundfile.write(path, samples, SAMPLE_RATE_HZ, subtype="FLOAT")
    return path


def voice(index: int, duration_s: float) -> Samples:
    """Return speech of one of three voices, the same each time, at -20 dBFS; each speaks from another place of the recording."""
    frames, rate_hz = soundfile.read(SPEECH, dtype="float32")
    pitch = _PITCHES[index % len(_PITCHES)]
    shifted = np.asarray(soxr.resample(frames, rate_hz * pitch, SAMPLE_RATE_HZ), np.float32)
    start = len(shifted) * (index % len(_PITCHES)) // len(_PITCHES)
    wanted = round(duration_s * SAMPLE_RATE_HZ)
    speech = np.resize(np.roll(shifted, -start), wanted)
    return np.asarray(speech * (0.1 / max(float(np.sqrt(np.mean(speech**2))), 1e-9)), np.float32)


def turn(index: int, speakers: int, turn_s: float) -> Samples:
    """Return one round of a conversation: this voice talks in its turn and is quiet in the others'. Meant to be looped."""
    spoken = voice(index, turn_s)
    fade = np.linspace(0, 1, SAMPLE_RATE_HZ // 100, dtype=np.float32)
    spoken[: len(fade)] *= fade
    spoken[-len(fade) :] *= fade[::-1]
    # A breath between turns, which also keeps two processes that started apart from talking at once for long.
    spoken[-SAMPLE_RATE_HZ // 5 :] = 0
    whole = np.zeros(len(spoken) * speakers, np.float32)
    whole[index * len(spoken) : (index + 1) * len(spoken)] = spoken
    return whole


def loop_slice(samples: Samples, start_s: float, duration_s: float) -> Samples:
    """Return what a looped file plays from a position on; before its beginning it was silent."""
    first = round(start_s * SAMPLE_RATE_HZ)
    indices = np.arange(first, first + round(duration_s * SAMPLE_RATE_HZ))
    played = samples[indices % len(samples)]
    played[indices < 0] = 0
    return played
