"""What a copy of libopus can do, found out by trying: versions and exported names do not tell.

    deep PLC   lost frames are guessed by a neural network: what is concealed differs between decoder complexity 4 and 5
    DRED       packets carry up to a second of what was said before: an encoder takes the length of it
    OSCE       low bit rates sound better: what is decoded differs between decoder complexity 5 and 6

All three are left out of a build unless it is asked for them, and libopus 1.5 and later export and accept their names all the same.

Source: libopus 1.6.1, opus_decoder.c (`ENABLE_DEEP_PLC`, `ENABLE_OSCE`), opus_encoder.c (`ENABLE_DRED`).
"""

import ctypes
import re
from ctypes import CDLL, c_int, c_int32
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.core.audio_format import SAMPLE_RATE_HZ

OLDEST: Final = (1, 3)
"""Of 2018, in Debian 12: the oldest with which calls were measured."""

_FRAME_SAMPLES: Final = SAMPLE_RATE_HZ // 50
_FRAMES: Final = 6
_BITRATE_BPS: Final = 12_000
"""So low that OSCE has something to do."""

_VOIP: Final = 2048
_SET_BITRATE: Final = 4002
_SET_COMPLEXITY: Final = 4010
_SET_DRED_DURATION: Final = 4050
_LONGEST_PAYLOAD_BYTES: Final = 1276

_SIZE_WITH_NETWORKS_BYTES: Final = 64_000
"""A decoder holds the state of its networks: 18 kB without, 141 kB with deep PLC, 192 kB with OSCE too. Saves trying in most copies."""


class UnusableError(Exception):
    """Why a copy cannot be used: what follows its name in a sentence."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """Of one copy."""

    version: str
    """What it calls itself, for example `libopus 1.6.1`."""

    deep_plc: bool
    dred: bool
    osce: bool

    @property
    def rank(self) -> tuple[bool, bool, bool, tuple[int, ...]]:
        """The larger, the more it can do."""
        return self.deep_plc, self.dred, self.osce, numbers_of(self.version) or ()


def abilities_of(library: CDLL) -> Abilities:
    """Find out what a copy can do: some microseconds, or 20 ms where it has networks.

    Raises:
        UnusableError: It does not work, or is too old.

    """
    version: str = library.opus_get_version_string().decode("ascii", "replace")
    numbers = numbers_of(version)
    if numbers is not None and numbers < OLDEST:
        raise UnusableError(f"it is {version}, older than {OLDEST[0]}.{OLDEST[1]}")
    packets, dred = _encoded(library)
    heard = _decoded(library, packets, complexity=0, lost=1)
    if not np.isfinite(heard).all() or not heard.any():
        raise UnusableError("it does not decode what it has encoded")
    if library.opus_decoder_get_size(1) < _SIZE_WITH_NETWORKS_BYTES:
        return Abilities(version, deep_plc=False, dred=dred, osce=False)
    whole = _FRAMES * _FRAME_SAMPLES
    classic, deep, enhanced = (_decoded(library, packets, complexity=one, lost=1) for one in (4, 5, 6))
    return Abilities(
        version,
        deep_plc=not np.array_equal(classic[whole:], deep[whole:]),
        dred=dred,
        osce=not np.array_equal(deep[:whole], enhanced[:whole]),
    )


def numbers_of(version: str) -> tuple[int, ...] | None:
    """The numbers in what a copy calls itself; None of `libopus unknown`, as builds from a bare source tree say."""
    found = re.search(r"\d+(?:\.\d+)+", version)
    return None if found is None else tuple(int(part) for part in found[0].split("."))


def _encoded(library: CDLL) -> tuple[list[bytes], bool]:
    """Some packets of a buzz like a voice's, and whether the encoder takes a length of DRED."""
    error = c_int()
    encoder = library.opus_encoder_create(SAMPLE_RATE_HZ, 1, _VOIP, ctypes.byref(error))
    if error.value != 0 or not encoder:
        raise UnusableError(f"it makes no encoder (error {error.value})")
    try:
        library.opus_encoder_ctl(encoder, _SET_BITRATE, c_int32(_BITRATE_BPS))
        payload = ctypes.create_string_buffer(_LONGEST_PAYLOAD_BYTES)
        packets = []
        for frame in _buzz():
            size = library.opus_encode_float(encoder, frame.ctypes.data, len(frame), payload, len(payload))
            if size <= 0:
                raise UnusableError(f"it does not encode (error {size})")
            packets.append(payload.raw[:size])
        return packets, library.opus_encoder_ctl(encoder, _SET_DRED_DURATION, c_int32(0)) == 0
    finally:
        library.opus_encoder_destroy(encoder)


def _decoded(library: CDLL, packets: list[bytes], *, complexity: int, lost: int) -> npt.NDArray[np.float32]:
    """The packets' sound, and behind it `lost` frames that are concealed."""
    error = c_int()
    decoder = library.opus_decoder_create(SAMPLE_RATE_HZ, 1, ctypes.byref(error))
    if error.value != 0 or not decoder:
        raise UnusableError(f"it makes no decoder (error {error.value})")
    try:
        library.opus_decoder_ctl(
            decoder, _SET_COMPLEXITY, c_int32(complexity)
        )  # before 1.5 there is no such control
        frames = []
        for packet in [*packets, *[None] * lost]:
            sound = np.zeros(_FRAME_SAMPLES, np.float32)
            size = 0 if packet is None else len(packet)
            count = library.opus_decode_float(decoder, packet, size, sound.ctypes.data, len(sound), 0)
            if count != len(sound):
                raise UnusableError(f"it does not decode what it has encoded (error {count})")
            frames.append(sound)
        return np.concatenate(frames)
    finally:
        library.opus_decoder_destroy(decoder)


def _buzz() -> npt.NDArray[np.float32]:
    """Frames of 20 ms, shape (frames, 960), 120 Hz and what a voice has above it."""
    time_s = np.arange(_FRAMES * _FRAME_SAMPLES) / SAMPLE_RATE_HZ
    partials = np.arange(1, 25)[:, None]
    buzz = 0.1 * (np.sin(2 * np.pi * 120 * partials * time_s) / partials).sum(axis=0)
    return np.asarray(buzz, np.float32).reshape(_FRAMES, _FRAME_SAMPLES)
