"""The recordings of a session: one at a time, of the call that it is in.

    record start ──> RecordingTap in MediaTaps ──queue──> RecordingThread ──> MP4, sidecar ──(wav, opus, mix)──> a process that exports
                └──> "recording" is shown to the call                └── begun, ended ──> events, the next `record stop`

A recording ends by `record stop`, with the call, with the session, or because the disk does not take it any more.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blink_cli.app.call.call_runner import CallRunner
from blink_cli.app.event_hub import EventHub
from blink_cli.app.files.processing_dumps import ObservedVoice, ProcessingRecorder
from blink_cli.app.files.recorded_pictures import PictureSource, RecordedPictures, picture_tracks
from blink_cli.app.files.recording_exports import ExportEnded, RecordingExports
from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.media.peer_links import PeerLinks
from blink_cli.app.profile.recording_memory import RecordingMemory, leftover_recordings
from blink_cli.app.request_table import RequestTable
from blink_cli.core.api.events import (
    ParticipantStateChanged,
    PicturesNotRecorded,
    RecordingStarted,
    RecordingStopped,
    VideoChanged,
)
from blink_cli.core.api.replies.loudness import RecordedLoudness
from blink_cli.core.api.replies.peers import NamedPeer
from blink_cli.core.api.replies.recordings import (
    RecordedFile,
    RecordingBegun,
    RecordingFiles,
    RecordingMarked,
    RecordingStatus,
)
from blink_cli.core.api.requests import GetRecording, MarkRecording, StartRecording, StopRecording
from blink_cli.core.errors import BlinkError, StateError
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.media_tap import Observer
from blink_cli.core.media.recorded_picture import PictureTrack
from blink_cli.core.text.path_text import as_word
from blink_cli.core.text.utc_text import utc_text_of
from blink_cli.runtime.loop_bridge import LoopBridge
from blink_cli.runtime.on_demand import on_demand
from blink_cli.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from blink_cli.record.recording import recording, recording_tap, recording_thread
else:
    recording = on_demand("blink_cli.record.recording.recording")
    recording_tap = on_demand("blink_cli.record.recording.recording_tap")
    recording_thread = on_demand("blink_cli.record.recording.recording_thread")

STOPPED: Final = "stopped"
"""The reason of a recording that ended because somebody said `record stop`."""

STALLED_S: Final = 20.0
"""A disk that has not taken anything for so long has failed."""

LOOK_S: Final = 1.0
FINISH_S: Final = 5.0
"""How long a closing session waits for the disk to take the rest of a recording."""


@dataclass(slots=True)
class _Active:
    """The recording that runs."""

    plan: "recording.RecordingPlan"
    thread: "recording_thread.RecordingThread"
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it has begun, or has ended without."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    begun: bool = False
    paths: "recording.RecordingPaths | None" = None
    outcome: "recording_thread.RecordingOutcome | None" = None
    exporting: asyncio.Task[ExportEnded] | None = None
    pictures: RecordedPictures | None = None
    """Where they are recorded too."""

    voices_alone: bool = False
    """Whether that was asked for."""

    unseen: set[Did] = field(default_factory=set)
    """Of whom it was told that their pictures are not recorded."""

    processing: ProcessingRecorder | None = None
    """Of the sound around the filters, where that is recorded too."""


class Recordings:
    """Belongs to the event loop. `running` holds it open."""

    def __init__(
        self,
        *,
        own: Did,
        runner: CallRunner,
        links: PeerLinks,
        taps: MediaTaps,
        hub: EventHub,
        name_of: Callable[[Did], str],
        memory: RecordingMemory,
        codec: Callable[[], CodecSettings],
        voice: ObservedVoice,
        exports: RecordingExports,
        pictures: Callable[[], PictureSource | None],
    ) -> None:
        """Record nothing yet."""
        self._pictures = pictures
        self._own = own
        self._runner = runner
        self._links = links
        self._taps = taps
        self._hub = hub
        self._tasks = TaskOwner("recordings")
        self._name_of = name_of
        self._memory = memory
        self._codec = codec
        self._voice = voice
        self._active: _Active | None = None
        self._tap: recording_tap.RecordingTap | None = None
        self._exports = exports
        self._ended_by_itself: _Active | None = None
        """The last one, if nobody's `stop` ended it: the next `stop` tells its files."""
        self._bridge = LoopBridge()
        self._tasks.start(self._follow_states(), name="states of participants")

    # requests

    def add_to(self, table: RequestTable) -> None:
        """Carry out the requests about recordings."""
        table.add(StartRecording, self.start)
        table.add(StopRecording, self.stop)
        table.add(GetRecording, self.status)
        table.add(MarkRecording, self.mark)

    async def start(self, request: StartRecording) -> RecordingBegun:
        """Record the current call from now on; returns when the file is on the disk.

        Canceling it leaves the recording running.

        Raises:
            StateError: There is no call, or a recording runs already.
            BlinkError: The folder cannot be written.

        """
        call = self._runner.current
        if call is None:
            raise StateError(
                "This session is not in a call, so there is nothing to record.",
                hint="`blink offer PEER` makes a call; `blink calls` lists what rings.",
            )
        if self._active is not None:
            where = self._active.plan.folder if self._active.paths is None else self._active.paths.part
            raise StateError(
                f"This call is being recorded already, to {where}.", hint="`blink record stop` ends it."
            )
        source = self._picture_source(request)
        tracks = {} if source is None else await picture_tracks(source, self._dids())
        if self._active is not None or self._runner.current != call:
            raise StateError("The call has changed meanwhile.", hint="Run it again.")
        active = self._begin(call, request, tracks)
        active.voices_alone = request.pictures is False
        if source is not None:
            active.pictures = await RecordedPictures.begin(source, tracks, active.plan.start_s, active.thread)
        await active.answered.wait()
        outcome = active.outcome
        if outcome is not None and outcome.sidecar is None:
            raise BlinkError(
                f"Nothing can be recorded to {active.plan.folder}: {outcome.reason}.",
                hint="Name another folder: `blink record start DIR`.",
            )
        assert active.paths is not None, "a recording that began has files"
        return RecordingBegun(
            path=str(active.paths.part),
            sidecar=str(active.paths.sidecar),
            since=utc_text_of(active.plan.start_wall_s),
        )

    async def stop(self, request: StopRecording) -> RecordingFiles:
        """End the recording, and return when all its files are there. Canceling it ends the recording nevertheless.

        One that has ended by itself, with its call for instance, is told all the same: a script that records a call need not be
        quicker than the call's end.

        Raises:
            StateError: Nothing is being recorded, nor was.
            BlinkError: The disk did not take the end of it.

        """
        active = self._active or self._ended_by_itself
        if active is None:
            raise StateError(
                "Nothing is being recorded.",
                hint="`blink record start` records the current call; `blink record status` tells more.",
            )
        if active.pictures is not None:
            await active.pictures.end()
        self._taps.before_change()  # what was heard until now, and not told yet, is in it
        active.thread.stop(STOPPED, time.monotonic())
        await active.ended.wait()
        assert active.outcome is not None, "an ended recording has an outcome"
        if active.outcome.sidecar is None:
            path = active.plan.folder if active.paths is None else active.paths.part
            raise BlinkError(
                f"The recording could not be finished: {active.outcome.reason}.",
                hint=f"What was written stays: `blink record repair {as_word(path)}` finishes it.",
            )
        files, warnings = self._files(active), list[str | None]()
        loudness: tuple[RecordedLoudness, ...] = ()
        if active.exporting is not None:
            exported = await asyncio.shield(active.exporting)
            files, loudness = (*files[:1], *exported.made.files, *files[1:]), exported.made.loudness
            warnings.append(exported.warning)
        if request.loudness and not loudness and not self._exports.closed:
            assert active.paths is not None, "it has files"
            measured = await asyncio.shield(self._exports.start(active.paths.final, ()))
            loudness = measured.made.loudness
            warnings.append(measured.warning)
        if active.processing is not None:
            if not await active.processing.ended():
                warnings.append("the disk has not taken all of the sound around the filters yet")
            own, others = _own_and_others(active.plan)
            files = (*files, *active.processing.files(own, others))
            warnings.append(active.processing.warning())
        said = "; ".join(warning for warning in warnings if warning is not None) or None
        return RecordingFiles(files=files, reason=active.outcome.reason, warning=said, loudness=loudness)

    async def status(self, _: GetRecording) -> RecordingStatus:
        """What is recorded now, and what was left unfinished."""
        left = await asyncio.to_thread(leftover_recordings, self._memory)
        active = self._active
        if active is None or active.paths is None:
            return RecordingStatus(recording=False, exporting=self._exports.busy, leftovers=left)
        return RecordingStatus(
            recording=True,
            path=str(active.paths.part),
            since=utc_text_of(active.plan.start_wall_s),
            duration_s=round(time.monotonic() - active.plan.start_s, 3),
            participants=_people(active.plan),
            formats=active.plan.formats,
            packets_dropped=active.thread.dropped,
            exporting=self._exports.busy,
            leftovers=left,
            processing=None if active.processing is None else active.processing.state(),
            pictures=active.pictures is not None,
        )

    async def mark(self, request: MarkRecording) -> RecordingMarked:
        """Put a marker here.

        Raises:
            StateError: Nothing is being recorded.

        """
        if self._active is None:
            raise StateError(
                "Nothing is being recorded.", hint="`blink record start` records the current call."
            )
        at_s = self.put_marker(request.text, time.monotonic())
        assert at_s is not None, "it runs"
        return RecordingMarked(at_s=at_s, text=request.text)

    def put_marker(self, text: str, now_s: float) -> float | None:
        """Put a marker into the recording; returns how many seconds from its first sample, None if none runs."""
        active = self._active
        if active is None:
            return None
        active.thread.put(recording.Recording.mark, text, now_s)
        return round(now_s - active.plan.start_s, 3)

    def impairment_changed(self, note: str) -> None:
        """Note what is impaired on purpose from here on; empty: nothing any more."""
        if self._active is not None:
            self._active.thread.put(recording.Recording.impaired, note or "nothing", time.monotonic())

    def hurry(self) -> None:
        """Let the session end without waiting for files that are made of a recording."""
        self._exports.hurry()

    async def aclose(self) -> None:
        """End the recording; waits for the disk, but not for ever. What is made of it goes on. Safe to call twice."""
        active = self._active
        if active is not None:
            if active.pictures is not None:
                await active.pictures.end()
            self._taps.before_change()
            active.thread.stop("the session ended", time.monotonic())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FINISH_S):
                    await active.ended.wait()
            if active.processing is not None:
                active.processing.end()
                await active.processing.ended()
        await self._tasks.aclose()

    # inside

    def _picture_source(self, request: StartRecording) -> PictureSource | None:
        if request.pictures is False:
            return None
        source = self._pictures()
        if source is None and request.pictures:
            raise StateError(
                "Nobody has shown anything yet, so there are no pictures to record.",
                hint="`blink video on` shows yours; without `--pictures` voices are recorded.",
            )
        # A camera that is announced shows something at once.
        snapshot = self._runner.snapshot().call
        shown = snapshot is not None and any(view.video for view in snapshot.participants)
        return source if request.pictures or shown or (source is not None and source.store.seen()) else None

    def _dids(self) -> tuple[Did, ...]:
        snapshot = self._runner.snapshot().call
        return () if snapshot is None else tuple(view.did for view in snapshot.participants)

    def _begin(self, call: CallId, request: StartRecording, tracks: Mapping[Did, PictureTrack]) -> _Active:
        plan = recording.RecordingPlan(
            folder=Path(request.folder),
            call=call,
            invited=self._invited(tracks),
            formats=request.formats,
            processing=request.processing,
            codec=self._codec(),
            impairment=self._links.impaired.note(),
            start_s=time.monotonic(),
            start_wall_s=time.time(),
        )
        thread = recording_thread.RecordingThread(
            plan,
            on_begun=lambda recording: self._bridge.call(self._on_disk, active, recording.paths),
            on_ended=lambda outcome: self._bridge.call(self._ended, active, outcome),
        )
        active = self._active = _Active(plan, thread)
        if plan.processing:
            active.processing = ProcessingRecorder(self._voice, plan.start_s)
        self._ended_by_itself = None
        self._tap = recording_tap.RecordingTap(thread, self._own)
        self._taps.add(self._tap)
        # Said before the first word is on the disk.
        self._runner.set_recording(Observer.RECORDING, recording=True)
        thread.start()
        self._tasks.start(self._watch(active), name="watch the recording")
        return active

    def _invited(self, tracks: Mapping[Did, PictureTrack]) -> "tuple[recording.Invited, ...]":
        linked = {peer: (opus, red) for peer, opus, red in self._links.formats}
        snapshot = self._runner.snapshot().call
        assert snapshot is not None, "asked for in a call"
        return tuple(
            recording.Invited(
                did=view.did,
                nickname=self._name_of(view.did),
                self=view.did == self._own,
                payload_types=linked.get(view.did),
                muted=self._runner.muted if view.did == self._own else view.muted,
                pictures=tracks.get(view.did),
            )
            for view in snapshot.participants
        )

    def _on_disk(self, active: _Active, paths: "recording.RecordingPaths") -> None:
        active.paths = paths
        active.begun = True
        self._begin_processing(active)
        active.answered.set()
        self._hub.publish(RecordingStarted(did=self._own, path=str(paths.part)))
        self._tasks.start(self._remember(active.plan.folder), name="remember the folder")

    def _begin_processing(self, active: _Active) -> None:
        if active.processing is not None and active.paths is not None:
            active.processing.begin(active.plan.folder, active.paths.sidecar.stem)

    async def _remember(self, folder: Path) -> None:
        with contextlib.suppress(OSError):  # the recording is what counts; only `record status` knows less
            await asyncio.to_thread(self._memory.remember, folder)

    def _ended(self, active: _Active, outcome: "recording_thread.RecordingOutcome") -> None:
        if active.ended.is_set():
            return  # it was given up before
        active.outcome = outcome
        if self._tap is not None:
            self._taps.remove(self._tap)
        if active.pictures is not None:
            self._tasks.start(active.pictures.end(), name="end the pictures")
        self._active = self._tap = None
        self._runner.set_recording(Observer.RECORDING, recording=False)
        sidecar = outcome.sidecar
        if sidecar is not None:
            stem = sidecar.files[0].name.removesuffix(".mp4")
            active.paths = recording.RecordingPaths.of(active.plan.folder, stem)
            if not active.begun:
                self._begin_processing(active)
                self._hub.publish(RecordingStarted(did=self._own, path=str(active.paths.part)))
            wanted = [kind for kind in active.plan.formats if kind != "mp4"]
            if wanted and not self._exports.closed:
                active.exporting = self._exports.start(active.paths.final, wanted)
        if active.processing is not None:
            active.processing.end()
        path = None if active.paths is None else active.paths.part if sidecar is None else active.paths.final
        self._ended_by_itself = None if path is None or outcome.reason == STOPPED else active
        if active.begun or sidecar is not None:
            self._hub.publish(
                RecordingStopped(
                    did=self._own,
                    path=None if path is None else str(path),
                    reason=outcome.reason,
                    failed=outcome.failed,
                )
            )
        active.answered.set()
        active.ended.set()

    def _files(self, active: _Active) -> tuple[RecordedFile, ...]:
        assert active.outcome is not None, "it has ended"
        assert active.outcome.sidecar is not None, "it is whole"
        assert active.paths is not None, "it has files"
        people, duration_s = _people(active.plan), active.outcome.sidecar.duration_s
        return (
            RecordedFile(
                path=str(active.paths.final), kind="mp4", participants=people, duration_s=duration_s
            ),
            RecordedFile(
                path=str(active.paths.sidecar), kind="sidecar", participants=people, duration_s=duration_s
            ),
        )

    async def _watch(self, active: _Active) -> None:
        """Give a recording up whose disk stands still."""
        while not active.ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await active.ended.wait()
            if active.thread.stalled_s(time.monotonic()) > STALLED_S:
                # Should the disk ever answer, the thread finishes the file and ends.
                active.thread.stop("the disk was too slow", time.monotonic())
                self._ended(
                    active,
                    recording_thread.RecordingOutcome(
                        f"the disk has not answered for {STALLED_S:g} s", None, failed=True
                    ),
                )

    def _tell_unseen(self, active: _Active, did: Did) -> None:
        """Say once that what somebody shows has no track."""
        if active.pictures is None and not active.voices_alone and did not in active.unseen and active.paths:
            active.unseen.add(did)
            self._hub.publish(PicturesNotRecorded(did=did, path=str(active.paths.part)))

    async def _follow_states(self) -> None:
        """Note who is muted when: what is missing then was not said; and who shows something that is not recorded."""
        listener = self._hub.listen()
        try:
            while (event := await listener.next_event()) is not None:
                match event:
                    case ParticipantStateChanged(did=did, muted=muted) if self._active is not None:
                        self._active.thread.put(recording.Recording.set_muted, did, muted, time.monotonic())
                    case VideoChanged(did=did, video=True) if self._active is not None:
                        self._tell_unseen(self._active, did)
                    case _:
                        pass
        finally:
            self._hub.forget(listener)


def _own_and_others(plan: "recording.RecordingPlan") -> tuple[NamedPeer, tuple[NamedPeer, ...]]:
    (own,) = (NamedPeer(did=one.did, nickname=one.nickname) for one in plan.invited if one.self)
    return own, tuple(person for person in _people(plan) if person != own)


def _people(plan: "recording.RecordingPlan") -> tuple[NamedPeer, ...]:
    return tuple(NamedPeer(did=one.did, nickname=one.nickname) for one in plan.invited)
