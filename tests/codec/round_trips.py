"""Round trips of recorded speech, for the tests of the codec tool."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from blink_cli.audio.samples import Samples
from blink_cli.codec.figures import RoundTripDone
from blink_cli.codec.options import CoderOptions, HeardForm, LineOptions, Source
from blink_cli.codec.roundtrip import RoundTrip, round_trip
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.lab.voices import SPEECH, voice

_CODEC = set(CodecSettings.__struct_fields__)
_LINE = {field.name for field in dataclasses.fields(LineOptions)}


def speech(path: Path, duration_s: float = 6.0, rate_hz: int = SAMPLE_RATE_HZ, index: int = 0) -> Path:
    """A voice as a WAV file of floating point, so that nothing is lost in it."""
    samples = soxr.resample(voice(index, duration_s), SAMPLE_RATE_HZ, rate_hz)
    soundfile.write(path, samples, rate_hz, subtype="FLOAT")
    return path


def told(source: Source | Path, out: Path, **options: Any) -> RoundTripDone:
    """Go there and back. FEC and copies only where asked for; options by their names in the settings, `scores` for the judges."""
    codec = {"fec": "off", "redundancy": "0"} | {key: options.pop(key) for key in _CODEC & options.keys()}
    line = {key: options.pop(key) for key in _LINE & options.keys()}
    heard = {
        key: options.pop(name)
        for name, key in (
            ("decode_rate", "rate_hz"),
            ("decode_channels", "channels"),
            ("sample_format", "sample_format"),
        )
        if name in options
    }
    coder = {
        key: options.pop(name)
        for name, key in (("encode_rate", "rate_hz"), ("channels", "channels"))
        if name in options
    }
    return round_trip(
        RoundTrip(
            source=source if isinstance(source, Source) else Source(source),
            out=out,
            coder=CoderOptions(settings=CodecSettings(**codec), **coder),
            line=LineOptions(**line),
            heard=HeardForm(**heard),
            **({"scores": ()} | options),
        ),
        lambda _: None,
    )


def heard_in(path: Path) -> Samples:
    """What a file holds, shape (n, channels)."""
    return np.asarray(soundfile.read(path, dtype="float32", always_2d=True)[0], np.float32)


__all__ = ["SPEECH", "heard_in", "speech", "told"]
