"""Recordings and RTP logs of a session, for programs: `session.record`, `session.rtp_log`."""

from collections.abc import Sequence
from os import PathLike, fspath
from typing import get_args

from blink_cli.api.typed_path import absolute, absolute_or_folder
from blink_cli.core.api.replies.recordings import (
    RecordingBegun,
    RecordingFiles,
    RecordingMarked,
    RecordingStatus,
)
from blink_cli.core.api.replies.rtp_log import RtpLogState
from blink_cli.core.api.requests import (
    GetRecording,
    GetRtpLog,
    MarkRecording,
    PauseRtpLog,
    RecordingFormat,
    ResumeRtpLog,
    StartRecording,
    StartRtpLog,
    StopRecording,
    StopRtpLog,
)
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import UsageError


class Recorder:
    """A recording of the current call: one track for each participant, in sync. Everybody is told."""

    def __init__(self, port: SessionPort) -> None:
        self._port = port

    async def start(
        self,
        folder: str | PathLike[str] = ".",
        *,
        formats: Sequence[RecordingFormat] = ("mp4",),
        processing: bool = False,
        pictures: bool | None = None,
    ) -> RecordingBegun:
        """Record from now on; returns once the file is on the disk.

        Args:
            folder: Where to; made when missing.
            formats: What is made in the end; the MP4 always is.
            processing: Whether the sound around the filters of the microphone is written as well.
            pictures: Whether what is seen of everybody is; None: if somebody shows something now.

        Raises:
            UsageError: There is no such format.
            StateError: There is no call, or it is recorded already.

        """
        for one in formats:
            if one not in get_args(RecordingFormat):
                raise UsageError(
                    f"There is no format {one!r}.", hint=f"There are {', '.join(get_args(RecordingFormat))}."
                )
        return await self._port.ask(
            StartRecording(
                folder=absolute(fspath(folder)),
                formats=tuple(formats),
                processing=processing,
                pictures=pictures,
            )
        )

    async def stop(self, *, loudness: bool = False) -> RecordingFiles:
        """End it, and return its files once they are finished. `loudness`: measure each participant's, too."""
        return await self._port.ask(StopRecording(loudness=loudness))

    async def status(self) -> RecordingStatus:
        """What is being recorded, and what was left unfinished."""
        return await self._port.ask(GetRecording())

    async def mark(self, text: str) -> RecordingMarked:
        """Put a marker at this moment of it."""
        return await self._port.ask(MarkRecording(text=text))


class RtpLog:
    """The log of RTP headers, as CSV: of the current call, or of the next ones."""

    def __init__(self, port: SessionPort) -> None:
        self._port = port

    async def start(
        self,
        path: str | PathLike[str],
        *,
        decisions: bool = False,
        replayable: bool = False,
        payload: bool = False,
    ) -> RtpLogState:
        """Log from now on.

        Args:
            path: A new file; or a folder, which exists or ends with a slash, for a file a call.
            decisions: Whether a file beside it tells what the playout does, and why.
            replayable: Whether a file beside it holds everybody's voice, for `lab replay`. All in the call are told.
            payload: Whether it holds what every packet carries, so that a capture made of it can be played. All in the call are told.

        Raises:
            StateError: It runs already.

        """
        return await self._port.ask(
            StartRtpLog(
                path=absolute_or_folder(fspath(path)),
                decisions=decisions,
                replayable=replayable,
                payload=payload,
            )
        )

    async def pause(self) -> RtpLogState:
        """Write no rows for a while."""
        return await self._port.ask(PauseRtpLog())

    async def resume(self) -> RtpLogState:
        """Write rows again."""
        return await self._port.ask(ResumeRtpLog())

    async def stop(self) -> RtpLogState:
        """End it, and return its files."""
        return await self._port.ask(StopRtpLog())

    async def status(self) -> RtpLogState:
        """How it stands."""
        return await self._port.ask(GetRtpLog())
