"""What was said and heard, within the page: as a picture (spectrogram, PNG) and to listen to (Ogg Opus), both as data URIs."""

import base64
import io
import struct
import zlib
from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

from blink_cli.audio.opus.encoder import OpusEncoder
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.lab.envelopes import Samples
from blink_cli.record.finished.ogg_opus import OggOpusWriter

PICTURE_HZ: Final = 8_000
"""The highest frequency of a picture: above there is little of a voice."""

PICTURE_COLUMNS: Final = 720
PICTURE_ROWS: Final = 96

_WINDOW: Final = 512
"""32 ms at 16 kHz: long enough for the pitch of a voice, short enough for its syllables."""

_SOFTEST_DBFS: Final = -85.0
_LOUDEST_DBFS: Final = -25.0

_SHADES: Final = 16
_ANCHORS: Final = (
    (255, 255, 255),
    (196, 222, 240),
    (104, 160, 214),
    (48, 84, 168),
    (40, 28, 92),
    (10, 4, 24),
)
"""From soft to loud, ever darker, so that it is right without colours too."""

_FRAME: Final = 960
_ENCODED: Final = CodecSettings(bitrate_bps=56_000, application="audio")
"""Transparent for one voice."""


def picture(sound: Samples, duration_s: float) -> str:
    """Return a spectrogram of the first `duration_s` of a sound at 48 kHz as a data URI: `PICTURE_COLUMNS` by `PICTURE_ROWS`, the highest frequency on top."""
    return _uri("image/png", _png(_levels(sound, duration_s)))


def _levels(sound: Samples, duration_s: float) -> npt.NDArray[np.uint8]:
    """Return shades, 0 (soft) to `_SHADES` - 1, shape (rows, columns)."""
    rate_hz = 2 * PICTURE_HZ
    at_16 = np.asarray(soxr.resample(sound, SAMPLE_RATE_HZ, rate_hz), np.float32)
    wanted = round(duration_s * rate_hz)
    at_16 = np.pad(at_16[:wanted], (_WINDOW // 2, _WINDOW + max(wanted - len(at_16), 0)))
    starts = np.linspace(0, wanted - 1, PICTURE_COLUMNS).astype(np.int64)
    frames = at_16[starts[:, None] + np.arange(_WINDOW)] * np.hanning(_WINDOW).astype(np.float32)
    power = np.abs(np.fft.rfft(frames, axis=1)[:, : _WINDOW // 2]) ** 2 / (_WINDOW / 4) ** 2
    edges = np.linspace(0, _WINDOW // 2, PICTURE_ROWS + 1).astype(np.int64)
    rows = np.maximum.reduceat(power, edges[:-1], axis=1)
    dbfs = 10 * np.log10(rows.T[::-1] + 1e-12)
    share = (dbfs - _SOFTEST_DBFS) / (_LOUDEST_DBFS - _SOFTEST_DBFS)
    return np.clip(np.round(share * (_SHADES - 1)), 0, _SHADES - 1).astype(np.uint8)


def _png(shades: npt.NDArray[np.uint8]) -> bytes:
    """Return a picture of four bits a pixel.

    Source: PNG, third edition (W3C 2025), sections 5 and 11.
    """
    rows, columns = shades.shape
    padded = np.pad(shades, ((0, 0), (0, columns % 2)))
    packed = (padded[:, ::2] << 4) | padded[:, 1::2]
    lines = np.pad(packed, ((0, 0), (1, 0))).astype(np.uint8).tobytes()  # filter 0 before each row
    header = struct.pack(">IIBBBBB", columns, rows, 4, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, content)
        for kind, content in (
            (b"IHDR", header),
            (b"PLTE", _palette()),
            (b"IDAT", zlib.compress(lines, 9)),
            (b"IEND", b""),
        )
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def _palette() -> bytes:
    places = np.linspace(0, len(_ANCHORS) - 1, _SHADES)
    anchors = np.asarray(_ANCHORS, np.float64)
    colours = [np.interp(places, np.arange(len(_ANCHORS)), anchors[:, channel]) for channel in range(3)]
    return np.round(np.stack(colours, axis=1)).astype(np.uint8).tobytes()


def encoded(sound: Samples) -> bytes:
    """Return a sound at 48 kHz as Ogg Opus, of the same length but for the last frame.

    Raises:
        DeviceError: There is no libopus.

    """
    encoder = OpusEncoder(_ENCODED)
    file = io.BytesIO()
    writer = OggOpusWriter(file, "", "", pre_skip=encoder.lookahead_samples)
    ahead = encoder.lookahead_samples
    padded = np.pad(sound, (0, ahead + -(len(sound) + ahead) % _FRAME)).astype(np.float32)
    for place in range(0, len(padded), _FRAME):
        writer.write(encoder.encode(padded[place : place + _FRAME]), place, _FRAME)
    writer.close()
    return file.getvalue()


def sound_uri(ogg: bytes) -> str:
    """Return the address by which a page has a sound within itself."""
    return _uri("audio/ogg", ogg)


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
