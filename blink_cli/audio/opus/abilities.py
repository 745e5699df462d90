"""What a copy of libopus can do, found out by trying: versions and exported names do not tell.

    deep PLC   lost frames are guessed by a neural network: what is concealed differs between decoder complexity 4 and 5
    DRED       packets carry up to a second of what was said before: an encoder takes the length of it
    OSCE       low bit rates sound better: what is decoded differs between decoder complexity 5 and 6

All three are left out of a build unless it is asked for them, and libopus 1.5 and later export and accept their names all the same.

Source: libopus 1.6.1, opus_decoder.c (`ENABLE_DEEP_PLC`, `ENABLE_OSCE`), opus_encoder.c (`ENABLE_DRED`).
"""

import ctypes
import itertools
import math
import re
import time
from array import array
from collections.abc import Iterator
from ctypes import CDLL, c_int, c_int32
from typing import Final

import msgspec

from blink_cli.audio.opus.binding import can_read_dred
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES
from blink_cli.core.media.opus_packet import dred_version

OLDEST: Final = (1, 3)
"""Of 2018, in Debian 12: the oldest with which calls were measured."""

_FRAME_SAMPLES: Final = SAMPLE_RATE_HZ // 50
_FRAMES: Final = 6
_BUZZ_HZ: Final = 120
_BITRATE_BPS: Final = 12_000
"""So low that OSCE has something to do."""

_VOIP: Final = 2048
_SET_BITRATE: Final = 4002
_SET_COMPLEXITY: Final = 4010
_SET_DRED_DURATION: Final = 4050
_SET_PACKET_LOSS_PERCENT: Final = 4014
_DRED_TRIED_BPS: Final = 48_000
_LONGEST_PAYLOAD_BYTES: Final = 1276

_SIZE_WITH_NETWORKS_BYTES: Final = 64_000
"""A decoder holds the state of its networks: 18 kB without, 141 kB with deep PLC, 192 kB with OSCE too. Saves trying in most copies."""


class UnusableError(Exception):
    """Why a copy cannot be used: what follows its name in a sentence."""


class Abilities(msgspec.Struct, frozen=True):
    """Of one copy."""

    version: str
    """What it calls itself, for example `libopus 1.6.1`."""

    deep_plc: bool
    dred: bool
    osce: bool
    dred_version: int | None = None
    """Of the format of its DRED, which is a draft: others read only their own. None without."""

    deep_ms: float = 0.0
    """How long its networks take to guess 10 ms here, the least of some tries; 0 without deep PLC."""

    @property
    def rank(self) -> tuple[bool, bool, bool, tuple[int, ...]]:
        """The larger, the more it can do."""
        return self.deep_plc, self.dred, self.osce, numbers_of(self.version) or ()


def abilities_of(library: CDLL) -> Abilities:
    """Find out what a copy can do: some microseconds, or 30 ms where it has networks.

    Raises:
        UnusableError: It does not work, or is too old.

    """
    version: str = library.opus_get_version_string().decode("ascii", "replace")
    numbers = numbers_of(version)
    if numbers is not None and numbers < OLDEST:
        raise UnusableError(f"it is {version}, older than {OLDEST[0]}.{OLDEST[1]}")
    packets, dred = _encoded(library)
    dred_is = _dred_version(library) if dred else None
    heard = _decoded(library, packets, complexity=0, lost=1)
    if not all(map(math.isfinite, heard)) or not any(heard):
        raise UnusableError("it does not decode what it has encoded")
    if library.opus_decoder_get_size(1) < _SIZE_WITH_NETWORKS_BYTES:
        return Abilities(version, deep_plc=False, dred=dred, osce=False, dred_version=dred_is)
    whole = _FRAMES * _FRAME_SAMPLES
    classic, deep, enhanced = (_decoded(library, packets, complexity=one, lost=1) for one in (4, 5, 6))
    deep_plc = classic[whole:] != deep[whole:]
    return Abilities(
        version,
        deep_plc=deep_plc,
        dred=dred,
        osce=deep[:whole] != enhanced[:whole],
        dred_version=dred_is,
        deep_ms=_deep_ms(library, packets) if deep_plc else 0.0,
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
            size = library.opus_encode_float(encoder, _address(frame), len(frame), payload, len(payload))
            if size <= 0:
                raise UnusableError(f"it does not encode (error {size})")
            packets.append(payload.raw[:size])
        return packets, library.opus_encoder_ctl(encoder, _SET_DRED_DURATION, c_int32(0)) == 0
    finally:
        library.opus_encoder_destroy(encoder)


def _dred_version(library: CDLL) -> int | None:
    """Which version of DRED its packets carry; None if they carry none after all, or it cannot read them."""
    if not can_read_dred(library):
        return None
    error = c_int()
    encoder = library.opus_encoder_create(SAMPLE_RATE_HZ, 1, _VOIP, ctypes.byref(error))
    try:
        for request, value in (
            (_SET_BITRATE, _DRED_TRIED_BPS),
            (_SET_PACKET_LOSS_PERCENT, 20),
            (_SET_DRED_DURATION, 10),
        ):
            library.opus_encoder_ctl(encoder, request, c_int32(value))
        payload = ctypes.create_string_buffer(_LONGEST_PAYLOAD_BYTES)
        for frame in _buzz():
            size = library.opus_encode_float(encoder, _address(frame), len(frame), payload, len(payload))
            version = dred_version(payload.raw[: max(size, 0)])
            if version is not None:
                return version
        return None
    finally:
        library.opus_encoder_destroy(encoder)


def _decoded(library: CDLL, packets: list[bytes], *, complexity: int, lost: int) -> "array[float]":
    """The packets' sound, and behind it `lost` frames that are concealed."""
    error = c_int()
    decoder = library.opus_decoder_create(SAMPLE_RATE_HZ, 1, ctypes.byref(error))
    if error.value != 0 or not decoder:
        raise UnusableError(f"it makes no decoder (error {error.value})")
    try:
        library.opus_decoder_ctl(
            decoder, _SET_COMPLEXITY, c_int32(complexity)
        )  # before 1.5 there is no such control
        heard = array("f")
        for packet in [*packets, *[None] * lost]:
            sound = _silence()
            size = 0 if packet is None else len(packet)
            count = library.opus_decode_float(decoder, packet, size, _address(sound), len(sound), 0)
            if count != len(sound):
                raise UnusableError(f"it does not decode what it has encoded (error {count})")
            heard += sound
        return heard
    finally:
        library.opus_decoder_destroy(decoder)


def _deep_ms(library: CDLL, packets: list[bytes]) -> float:
    """How long 10 ms of concealment by networks take, in ms of wall time: the least, since this thread is interrupted at times."""
    error = c_int()
    decoder = library.opus_decoder_create(SAMPLE_RATE_HZ, 1, ctypes.byref(error))
    try:
        library.opus_decoder_ctl(decoder, _SET_COMPLEXITY, c_int32(5))
        sound = _silence()
        took_s = []
        for packet in packets:
            library.opus_decode_float(decoder, packet, len(packet), _address(sound), len(sound), 0)
            begun_s = time.perf_counter()
            library.opus_decode_float(decoder, None, 0, _address(sound), TICK_SAMPLES, 0)
            took_s.append(time.perf_counter() - begun_s)
        return 1000 * min(took_s)
    finally:
        library.opus_decoder_destroy(decoder)


def _buzz() -> "Iterator[array[float]]":
    """Frames of 20 ms, of 960 samples, 120 Hz and what a voice has above it."""
    step = 2 * math.pi * _BUZZ_HZ / SAMPLE_RATE_HZ
    period = [
        0.1 * sum(math.sin(step * partial * n) / partial for partial in range(1, 25))
        for n in range(SAMPLE_RATE_HZ // _BUZZ_HZ)
    ]
    buzz = array("f", itertools.islice(itertools.cycle(period), _FRAMES * _FRAME_SAMPLES))
    return (buzz[begin : begin + _FRAME_SAMPLES] for begin in range(0, len(buzz), _FRAME_SAMPLES))


def _silence() -> "array[float]":
    return array("f", bytes(4 * _FRAME_SAMPLES))


def _address(samples: "array[float]") -> int:
    return samples.buffer_info()[0]
