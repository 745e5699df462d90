"""Opus packets out of a file: Ogg Opus, MP4, WebM, Matroska, whatever FFmpeg takes apart. Nothing is decoded here.

Source: RFC 7845, section 5.1 (OpusHead), which FFmpeg gives for every container.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av

from blink_cli.codec.sound_reader import damaged, unreadable
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import UsageError
from blink_cli.core.media.opus_packet import packet_samples
from blink_cli.core.text.path_text import shown
from blink_cli.files.reading import open_reading
from blink_cli.record.failure_text import failure_text

_HEAD: Final = b"OpusHead"
_HEAD_BYTES: Final = 19


@dataclass(frozen=True, slots=True)
class PacketForm:
    """What the file says of its packets."""

    kind: str
    channels: int
    pre_skip: int
    """Samples at 48 kHz that are left out at the start."""

    gain_db: float
    """To be added after decoding (RFC 7845, output gain)."""

    expected_samples: int | None
    """About how long it is at 48 kHz; None where only reading tells."""

    tracks: int
    """Tracks with sound; the first one counts."""


@dataclass(frozen=True, slots=True)
class StoredPacket:
    """One packet."""

    payload: bytes
    duration_samples: int
    """That it decodes to, at 48 kHz."""

    kept_samples: int
    """Of those, what belongs to the sound: fewer in the last packet."""


class PacketReader:
    """One open file. Belongs to one thread; blocks for as long as the disk does."""

    def __init__(self, path: Path, container: Any) -> None:
        self._path = path
        self._container = container
        streams = container.streams.audio
        stream = streams[0] if streams else None
        head = b"" if stream is None else bytes(stream.codec_context.extradata or b"")
        if stream is None or stream.codec_context.name not in {"opus", "libopus"} or head[:8] != _HEAD:
            found = "no sound" if stream is None else f"{stream.codec_context.name} and not Opus"
            raise UsageError(
                f"{shown(path)} holds {found}.",
                hint="`blink codec roundtrip` takes any sound and encodes it; `blink codec ogg` and `mp4` make files of Opus packets.",
            )
        if len(head) < _HEAD_BYTES or head[9] not in (1, 2):
            raise UsageError(
                f"{shown(path)} holds more than two channels of Opus, which are not decoded here.",
                hint="FFmpeg does: `ffmpeg -i FILE OUT.wav`.",
            )
        self._stream = stream
        pre_skip = int.from_bytes(head[10:12], "little")
        name = container.format.name
        kind = "MP4" if "mp4" in name else "Ogg Opus" if name == "ogg" else name.split(",")[0]
        duration = container.duration
        expected = None if duration is None else max(duration * SAMPLE_RATE_HZ // av.time_base, 1)
        # Clocks of a thousandth of a second say nothing of the end.
        self._exact = stream.time_base is not None and stream.time_base.denominator == SAMPLE_RATE_HZ
        self.form = PacketForm(
            kind,
            head[9],
            pre_skip,
            int.from_bytes(head[16:18], "little", signed=True) / 256,
            expected,
            len(streams),
        )

    def packets(self) -> Iterator[StoredPacket]:
        """Give them in order.

        Raises:
            BlinkError: The file is damaged here.

        """
        try:
            for packet in self._container.demux(self._stream):
                payload = bytes(packet)
                if payload:
                    lasts = packet_samples(payload)
                    kept = packet.duration if self._exact and packet.duration else lasts
                    yield StoredPacket(payload, lasts, min(kept, lasts))
        except (av.error.FFmpegError, ValueError) as failure:
            raise damaged(self._path, failure) from failure


@contextlib.contextmanager
def open_packets(path: Path) -> Iterator[PacketReader]:
    """Open a file of Opus packets.

    Raises:
        NotFoundError: There is none.
        UsageError: It holds something else.
        BlinkError: It cannot be read.

    """
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open_reading(path))
            container = stack.enter_context(av.open(file, "r"))
        except (av.error.FFmpegError, ValueError) as failure:  # some of the first are an OSError too
            raise UsageError(
                f"{shown(path)} holds no packets that can be read: {failure_text(failure)}.",
                hint="Ogg Opus, MP4, WebM and Matroska work.",
            ) from failure
        except OSError as failure:
            raise unreadable(path, failure) from failure
        yield PacketReader(path, container)
