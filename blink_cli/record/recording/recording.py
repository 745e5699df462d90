"""One recording: a track for everyone invited, the MP4 that they grow in, and the sidecar beside it.

    captured, received, links, mutes ──> one Track each ──> Mp4Writer ──> NAME.part.mp4 ──finish──> NAME.mp4
                                                └──> gaps, stints, anchors, markers ──────────────────> NAME.json

It has no thread and no clock: `advance` is told the time. It blocks for as long as the disk does, so it belongs to the thread that records
(`RecordingThread`); tests run it in virtual time.
"""

import datetime as dt
import errno
import functools
import itertools
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from blink_cli.core.audio_format import PRE_SKIP_SAMPLES, SAMPLE_RATE_HZ
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.recorded_picture import PICTURE_CLOCK_HZ, PictureTrack, RecordedPicture
from blink_cli.core.media.rtp import EncodedFrame, RtpPacket, SenderReport
from blink_cli.core.media.unwrapper import timestamp_difference
from blink_cli.core.text.utc_text import utc_text_of
from blink_cli.record.recording.filler import LOOK_AHEAD_SAMPLES
from blink_cli.record.recording.gaps import Span
from blink_cli.record.recording.processing_dump import KINDS, name_of
from blink_cli.record.recording.sidecar import (
    AnchorEntry,
    ClockStepEntry,
    Codec,
    FileEntry,
    GapEntry,
    Marker,
    ParticipantEntry,
    PicturesEntry,
    Sidecar,
    Stint,
    write_sidecar,
)
from blink_cli.record.recording.track import FRAME_SAMPLES, Track
from blink_cli.runtime.shared_objects import load_shared_objects

if TYPE_CHECKING:
    from blink_cli.record.mp4.file import Mp4Writer

HOLD_BACK_S: Final = 0.5
"""How long a frame may be under way, or out of order, before its place is filled."""

PART_SUFFIX: Final = ".part.mp4"
"""What an unfinished recording is recognised by."""

SIDECAR_EVERY_S: Final = 2.0
_SIDECAR_SHARE: Final = 200
"""A sidecar that took a while to write is written more rarely: it may cost one part in so many of a core."""

ANCHOR_EVERY_S: Final = 30.0
MOST_MARKERS: Final = 10_000

_NTP_TO_UNIX_S: Final = 2_208_988_800


class Invited(msgspec.Struct, frozen=True):
    """Someone who gets a track."""

    did: Did
    nickname: str
    self: bool
    payload_types: tuple[int, int | None] | None = None
    """Of Opus and RED, where its link stands already."""

    muted: bool = False
    pictures: PictureTrack | None = None
    """Of the track of its pictures; None: only its voice is recorded."""

    @property
    def title(self) -> str:
        """Of its track."""
        return f"{self.nickname} ({self.did})" if self.nickname else self.did


class RecordingPlan(msgspec.Struct, frozen=True):
    """What is to be recorded, and where."""

    folder: Path
    call: CallId
    invited: tuple[Invited, ...]
    formats: tuple[str, ...]
    """What is wanted in the end: mp4, wav, opus, mix."""

    codec: CodecSettings | None
    start_s: float
    """Monotonic: the first sample."""

    start_wall_s: float
    """The same moment in seconds since 1970."""

    impairment: str = ""
    """What is impaired on purpose as it begins; empty for nothing."""

    processing: bool = False
    """Whether the files of a `ProcessingDump` of the same name stand beside it."""


class RecordingPaths(msgspec.Struct, frozen=True):
    """Where a recording's files are."""

    part: Path
    final: Path
    sidecar: Path

    @classmethod
    def of(cls, folder: Path, stem: str) -> "RecordingPaths":
        """Those of a name."""
        return cls(folder / f"{stem}{PART_SUFFIX}", folder / f"{stem}.mp4", folder / f"{stem}.json")


@dataclass(slots=True)
class _Member:
    invited: Invited
    track: Track
    anchors: list[AnchorEntry] = field(default_factory=list)
    anchor_due_s: float = -math.inf
    report: SenderReport | None = None
    number: int = 0
    pictures: int = 0
    """That are in the recording, signs included."""


class Recording:
    """Made by `Recording.create`; ended by `finish` or `give_up`, once."""

    def __init__(self, plan: RecordingPlan, paths: RecordingPaths, writer: "Mp4Writer") -> None:
        """Join what `create` made."""
        self.plan = plan
        self.paths = paths
        self._writer = writer
        self._members = {
            invited.did: _Member(
                invited,
                Track(
                    plan.start_s, functools.partial(writer.write, number), payload_types=invited.payload_types
                ),
                number=number,
            )
            for number, invited in enumerate(plan.invited)
        }
        for member in self._members.values():
            if member.invited.muted:
                member.track.set_muted(muted=True, now_s=plan.start_s)
        filmed = [number for number, invited in enumerate(plan.invited) if invited.pictures is not None]
        self._picture_tracks = {number: track for track, number in enumerate(filmed)}
        self._markers: list[Marker] = []
        self._impairments: list[Marker] = []
        if plan.impairment:
            self._impairments.append(Marker(0.0, plan.impairment))
        self._sidecar_due_s = plan.start_s
        self._now_s = plan.start_s
        self._dropped = 0

    @classmethod
    def create(cls, plan: RecordingPlan) -> "Recording":
        """Create the files. Nothing that is there is written over.

        Raises:
            OSError: The folder cannot be made or written.

        """
        load_shared_objects("av")
        from blink_cli.record.mp4.file import Mp4Labels, Mp4Writer  # noqa: PLC0415 - av: most sessions record nothing

        try:
            plan.folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as failure:
            raise NotADirectoryError(errno.ENOTDIR, "it is a file, and no folder") from failure
        moment = dt.datetime.fromtimestamp(plan.start_wall_s).astimezone()
        stem = f"blink-{moment:%Y%m%d-%H%M%S}-{plan.call[:8]}"
        labels = Mp4Labels(
            tracks=tuple(invited.title for invited in plan.invited),
            title=f"{moment:%Y-%m-%d %H:%M} {', '.join(invited.nickname or invited.did for invited in plan.invited)}",
            comment=f"call {plan.call}",
            created=utc_text_of(plan.start_wall_s),
            pictures={
                number: invited.pictures
                for number, invited in enumerate(plan.invited)
                if invited.pictures is not None
            },
        )
        for number in itertools.count(1):
            paths = RecordingPaths.of(plan.folder, stem if number == 1 else f"{stem}-{number}")
            if paths.final.exists() or paths.sidecar.exists():
                continue
            try:
                writer = Mp4Writer(paths.part, labels)
            except FileExistsError:
                continue
            break
        recording = cls(plan, paths, writer)
        try:
            write_sidecar(paths.sidecar, recording.sidecar(finished=False))
        except OSError:
            writer.abandon()
            paths.part.unlink(missing_ok=True)
            raise
        return recording

    # what happens in the call; those who were not invited are nobody

    def captured(self, own: Did, frame: EncodedFrame, now_s: float) -> None:
        """A frame of this session's source, just encoded."""
        self._members[own].track.captured(frame, now_s)

    def received(self, peer: Did, packet: RtpPacket) -> None:
        """A packet of a peer."""
        member = self._members.get(peer)
        if member is not None:
            member.track.received(packet)

    def seen(self, did: Did, picture: RecordedPicture) -> None:
        """A picture of somebody, encoded and in its place. Raises as `advance`."""
        member = self._members.get(did)
        if member is not None and member.invited.pictures is not None:
            member.pictures += 1
            self._writer.write_picture(member.number, picture)

    def reported(self, peer: Did, report: SenderReport) -> None:
        """A sender report of a peer."""
        member = self._members.get(peer)
        if member is not None:
            member.report = report
            member.track.reported(report)

    def round_trip(self, peer: Did, rtt_s: float, now_s: float) -> None:
        """How long the path to a peer and back is."""
        member = self._members.get(peer)
        if member is not None:
            member.track.round_trip(rtt_s, now_s)

    def link_connected(self, peer: Did, opus: int, red: int | None, now_s: float) -> None:
        """Media of a peer may come."""
        member = self._members.get(peer)
        if member is not None:
            member.track.link_connected(opus, red, now_s)

    def link_ended(self, peer: Did, now_s: float) -> None:
        """Its link is gone."""
        member = self._members.get(peer)
        if member is not None:
            member.track.link_ended(now_s)

    def set_muted(self, did: Did, muted: bool, now_s: float) -> None:  # noqa: FBT001 - the state, as it comes
        """Someone shows that it is muted, or not any more."""
        member = self._members.get(did)
        if member is not None:
            member.track.set_muted(muted=muted, now_s=now_s)

    def mark(self, text: str, now_s: float) -> None:
        """Remember this moment."""
        if len(self._markers) < MOST_MARKERS:
            self._markers.append(Marker(max(round(now_s - self.plan.start_s, 3), 0.0), text))

    def impaired(self, note: str, now_s: float) -> None:
        """Remember what is impaired on purpose from this moment on."""
        if len(self._impairments) < MOST_MARKERS:
            self._impairments.append(Marker(max(round(now_s - self.plan.start_s, 3), 0.0), note))

    def dropped(self, packets: int, from_s: float, to_s: float) -> None:
        """So much never came here, because this machine was too slow."""
        self._dropped += packets
        span = Span(*(round((at_s - self.plan.start_s) * SAMPLE_RATE_HZ) for at_s in (from_s, to_s)))
        for member in self._members.values():
            member.track.set_overloaded(span)

    # time

    @property
    def on_disk(self) -> bool:
        """Whether the file can be read by others already."""
        return self._writer.readable

    @property
    def duration_s(self) -> float:
        """What is recorded."""
        return max(self._now_s - self.plan.start_s, 0.0)

    def advance(self, now_s: float) -> None:
        """Write what belongs before `now_s` less the hold-back.

        Raises:
            OSError: The disk is full, or the folder is gone. `give_up` then.

        """
        self._now_s = now_s
        for member in self._members.values():
            member.track.advance(now_s, now_s - HOLD_BACK_S)
        self._set_anchors()
        if now_s >= self._sidecar_due_s:
            began_s = time.perf_counter()
            write_sidecar(self.paths.sidecar, self.sidecar(finished=False))
            took_s = time.perf_counter() - began_s
            self._sidecar_due_s = now_s + max(SIDECAR_EVERY_S, _SIDECAR_SHARE * took_s)

    def finish(self, now_s: float, reason: str) -> Sidecar:
        """End all tracks at one place and finish the file: its name tells that it is whole, from then on.

        Returns:
            What is in the sidecar now.

        Raises:
            OSError: The disk does not take the rest. `give_up` then.

        """
        self._now_s = now_s
        tracks = [member.track for member in self._members.values()]
        longest = max([track.finish(now_s) for track in tracks], default=0)
        end = -(-max(longest, FRAME_SAMPLES) // FRAME_SAMPLES) * FRAME_SAMPLES
        for track in tracks:
            track.pad(end)
        self._set_anchors(last=True)
        self._now_s = self.plan.start_s + (end + LOOK_AHEAD_SAMPLES - PRE_SKIP_SAMPLES) / SAMPLE_RATE_HZ
        self._writer.end_pictures(round(self.duration_s * PICTURE_CLOCK_HZ))
        self._writer.close()
        self.paths.part.rename(self.paths.final)
        sidecar = self.sidecar(finished=True, reason=reason)
        write_sidecar(self.paths.sidecar, sidecar)
        return sidecar

    def give_up(self, reason: str) -> None:
        """Leave what is on the disk as it is, after a failure; say so in the sidecar where that is possible.

        What ends before anything of it can be read leaves no files.

        Raises:
            OSError: Not even the sidecar can be written.

        """
        readable = self.on_disk
        self._writer.abandon()
        if not readable:
            self.paths.part.unlink(missing_ok=True)
            self.paths.sidecar.unlink(missing_ok=True)
            return
        write_sidecar(self.paths.sidecar, self.sidecar(finished=False, reason=reason))

    def sidecar(self, *, finished: bool, reason: str | None = None) -> Sidecar:
        """The document as of now."""
        plan = self.plan
        name = self.paths.final.name if finished else self.paths.part.name
        return Sidecar(
            finished=finished,
            reason=reason,
            call=plan.call,
            started=utc_text_of(plan.start_wall_s),
            started_monotonic_s=plan.start_s,
            duration_s=round(self.duration_s, 6),
            described_s=round(max(self.duration_s - (0.0 if finished else HOLD_BACK_S), 0.0), 6),
            packets_dropped=self._dropped,
            formats=list(plan.formats),
            codec=None if plan.codec is None else _codec(plan.codec),
            participants=[
                _participant(number, member, self._picture_tracks.get(number))
                for number, member in enumerate(self._members.values())
            ],
            markers=list(self._markers),
            impairments=list(self._impairments),
            files=[FileEntry(name, "mp4", list(self._members)), *self._processing_files()],
        )

    def _processing_files(self) -> list[FileEntry]:
        if not self.plan.processing:
            return []
        own = [invited.did for invited in self.plan.invited if invited.self]
        others = [invited.did for invited in self.plan.invited if not invited.self]
        stem = self.paths.sidecar.stem
        return [
            FileEntry(name_of(stem, kind), kind, others if kind == "reference" else own) for kind in KINDS
        ]

    def _set_anchors(self, *, last: bool = False) -> None:
        """Note where everybody's time stands, now and then, and at the end."""
        for member in self._members.values():
            if self._now_s < member.anchor_due_s and not last:
                continue
            anchor = member.track.anchor()
            if anchor is None:
                continue
            member.anchor_due_s = self._now_s + ANCHOR_EVERY_S
            report, sender_wall_s = member.report, None
            if report is not None and report.ssrc == anchor.ssrc:
                ticks = timestamp_difference(anchor.timestamp, report.rtp_timestamp)
                sender_wall_s = round(report.ntp_s - _NTP_TO_UNIX_S + ticks / SAMPLE_RATE_HZ, 6)
            at_s = anchor.place / SAMPLE_RATE_HZ
            member.anchors.append(
                AnchorEntry(
                    at_s=round(at_s, 6),
                    wall_s=round(self.plan.start_wall_s + at_s, 6),
                    ssrc=anchor.ssrc,
                    rtp_timestamp=anchor.timestamp,
                    sender_wall_s=sender_wall_s,
                )
            )


def _participant(number: int, member: _Member, pictures: int | None) -> ParticipantEntry:
    track, invited = member.track, member.invited
    counters = track.counters
    return ParticipantEntry(
        did=invited.did,
        nickname=invited.nickname,
        self=invited.self,
        track=number,
        pictures=None if pictures is None else PicturesEntry(pictures, member.pictures),
        stints=[Stint(_seconds(span.start), _seconds(span.end)) for span in track.stints()],
        gaps=[GapEntry(_seconds(gap.start), _seconds(gap.end), gap.reason) for gap in track.gaps.gaps],
        gaps_omitted=track.gaps.omitted,
        missing_s={str(reason): _seconds(samples) for reason, samples in track.gaps.samples.items()},
        frames=counters.frames,
        frames_recovered=counters.frames_recovered,
        frames_late=counters.frames_late,
        clock_corrections=counters.clock_corrections,
        anchors=list(member.anchors),
        clock_steps=[ClockStepEntry(_seconds(step.place), round(step.step_s, 4)) for step in track.steps],
    )


def _codec(settings: CodecSettings) -> Codec:
    return Codec(
        bitrate=settings.bitrate_bps,
        frame_ms=settings.frame_ms,
        bandwidth=settings.bandwidth,
        application=settings.application,
        fec=settings.fec != "off",
        dtx=settings.dtx,
        redundancy=settings.redundancy,
        stereo=settings.stereo,
    )


def _seconds(samples: int) -> float:
    return round(samples / SAMPLE_RATE_HZ, 6)
