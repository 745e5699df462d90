"""The voices in a capture as sound: a recording is made of its streams, as of a call, and files of it.

    packets of Opus and RED ──> Recording, a track for each stream ──> NAME.mp4 ──> NAME-1-….wav, NAME-1-….opus, …

A stream's packets are placed by their RTP time, redundant copies take the place of lost packets, and what is missing is concealed, as in any recording
(docs/recording.md): so tracks do not hold what one playout made of the voices, but all that came. Streams begin together as they did on the network.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import structs

from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.progress import Progress
from blink_cli.record.capture.rtp_packets import CapturedPacket, StreamKey, endpoint_text
from blink_cli.record.capture.survey import PayloadTypes
from blink_cli.record.failure_text import failure_text
from blink_cli.record.finished.export import export
from blink_cli.record.recording.recording import Invited, Recording, RecordingPlan

MOST_TRACKS: Final = 32
MOST_HOURS: Final = 48
"""Of all tracks together: silence that a capture claims costs time and disk as sound does."""

_STEP_S: Final = 0.2
_LAST_FRAME_S: Final = 0.12
"""The longest that an Opus packet lasts."""

_OPUS: Final = 111
_RED: Final = 63
"""Payload types in the recording, whatever they were in the capture."""


class CaptureTracks:
    """Takes the packets of a capture, each once; then `finish`."""

    def __init__(self, folder: Path, streams: Mapping[StreamKey, PayloadTypes], path: Path) -> None:
        """Choose the streams that can be heard.

        Args:
            folder: Where the files will be; it is made.
            streams: What was found.
            path: The capture's.

        Raises:
            UsageError: Nothing can be heard, or it would last for days.

        """
        self._folder = folder
        self._streams: dict[StreamKey, PayloadTypes] = {
            key: types
            for key, types in streams.items()
            if not types.encrypted and (types.of_codec("opus") or types.primary_types)
        }
        if not self._streams:
            raise _nothing_heard(path, streams)
        if len(self._streams) > MOST_TRACKS:
            raise UsageError(
                f"{path} holds {len(self._streams)} streams of Opus, and {MOST_TRACKS} become tracks at most.",
                hint="Take some of them out first, for example by `tshark -r FILE -Y rtp.ssrc==0x1234 -w NEW.pcap`.",
            )
        span_s = max(types.last_s for types in self._streams.values()) - min(
            types.first_s for types in self._streams.values()
        )
        if span_s * len(self._streams) > MOST_HOURS * 3600:
            raise UsageError(
                f"{path} holds {len(self._streams)} streams over {span_s / 3600:.0f} hours, and tracks of {MOST_HOURS} hours together are made at most.",
                hint="Take out a part first, for example by `editcap -A '2026-01-01 10:00:00' -B '2026-01-01 11:00:00' FILE NEW.pcap`.",
            )
        self._dids = {key: Did(f"rtp:{number}") for number, key in enumerate(self._streams)}
        self._recording: Recording | None = None
        self._now_s = self._advanced_s = 0.0

    def take(self, found: CapturedPacket, wall_s: float) -> None:
        """Take a packet that is no copy, in the order of the file.

        Raises:
            BlinkError: The disk does not take it.

        """
        types = self._streams.get(found.key)
        if types is None or not found.is_whole:
            return
        packet = _renumbered(found.packet, types)
        if packet is None:
            return
        try:
            recording = self._recording
            if recording is None:
                recording = self._recording = self._begin(packet.arrival_s, wall_s)
            self._now_s = max(self._now_s, packet.arrival_s)
            recording.received(self._dids[found.key], packet)
            if self._now_s - self._advanced_s >= _STEP_S:
                self._advanced_s = self._now_s
                recording.advance(self._now_s)
        except OSError as failure:
            raise self._failed(failure) from failure

    def finish(self, progress: Progress) -> dict[StreamKey | None, list[Path]]:
        """End the recording and make the files.

        Returns:
            Those of each stream, the WAV first; and for None those of all together.

        Raises:
            BlinkError: They cannot be written.

        """
        recording = self._recording
        if recording is None:
            return {}
        try:
            recording.finish(self._now_s + _LAST_FRAME_S, "the capture ended")
        except OSError as failure:
            raise self._failed(failure) from failure
        final = recording.paths.final
        made = export(final, ("wav", "opus"), None, progress, secrets.token_hex(8))
        files: dict[StreamKey | None, list[Path]] = {None: [final, recording.paths.sidecar]}
        keys = {did: key for key, did in self._dids.items()}
        for one in made:
            ((did, _),) = one.participants
            files.setdefault(keys[did], []).append(one.path)
        return files

    def _begin(self, start_s: float, wall_s: float) -> Recording:
        invited = tuple(
            Invited(
                self._dids[key],
                f"{endpoint_text(key.flow.source, key.flow.source_port)} {key.ssrc:08x}",
                self=False,
                payload_types=(_OPUS, _RED),
            )
            for key in self._streams
        )
        self._now_s = self._advanced_s = start_s
        first = next(iter(self._streams))
        return Recording.create(
            RecordingPlan(
                folder=self._folder,
                call=CallId(f"{first.ssrc:08x}" * 4),
                invited=invited,
                formats=("mp4", "wav", "opus"),
                codec=None,
                start_s=start_s,
                start_wall_s=wall_s,
            )
        )

    def _failed(self, failure: OSError) -> BlinkError:
        return BlinkError(
            f"The tracks cannot be written to {self._folder}: {failure_text(failure)}.",
            hint="Can the folder be written, and has its disk room?",
        )


def _renumbered(packet: RtpPacket, types: PayloadTypes) -> RtpPacket | None:
    """The packet with the payload types that the recording knows; None for what is no Opus."""
    if packet.payload_type in types.of_codec("opus"):
        return structs.replace(packet, payload_type=_OPUS)
    primary_type = types.primary_types.get(packet.payload_type)
    if primary_type is None:
        return None
    return structs.replace(packet, payload_type=_RED, payload=_inside(packet.payload, primary_type))


def _inside(payload: bytes, primary_type: int) -> bytes:
    """The same payload of RED, with the type of the frames inside changed in its headers (RFC 2198, section 3)."""
    if primary_type == _OPUS:
        return payload
    changed = bytearray(payload)
    position = 0
    while position < len(changed):
        if changed[position] & 0x7F == primary_type:
            changed[position] = changed[position] & 0x80 | _OPUS
        if not changed[position] & 0x80:
            break
        position += 4
    return bytes(changed)


def _nothing_heard(path: Path, streams: Mapping[StreamKey, PayloadTypes]) -> UsageError:
    encrypted = sum(types.encrypted for types in streams.values())
    if encrypted:
        return UsageError(
            f"{path} holds nothing that can be heard: {encrypted} of its {len(streams)} streams look encrypted (SRTP).",
            hint="Leave --tracks out for the figures of their headers. Of a call of one's own, `blink rtp-log start LOG --payload` keeps what can be heard.",
        )
    return UsageError(
        f"{path} holds no Opus, of which tracks are made.",
        hint="Leave --tracks out for the figures; `--payload-type 96=opus` says what packets do not tell.",
    )
