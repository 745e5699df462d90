"""A recording's debugging files: what went into the capture chain of the call and what came out of it, from `record start --processing` to the recording's end.

CaptureChain ──> ProcessingDump ──> NAME-microphone.wav, NAME-reference.wav, NAME-processed.wav
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from blink_cli.core.api.replies.recordings import ProcessingFiles, RecordedFile
from blink_cli.runtime.on_demand import on_demand

if TYPE_CHECKING:
    from pathlib import Path

    from blink_cli.audio.processing.block import CapturedBlock
    from blink_cli.audio.processing.chain import ChainObserver
    from blink_cli.core.api.replies.peers import NamedPeer
    from blink_cli.record.recording import processing_dump
else:
    processing_dump = on_demand("blink_cli.record.recording.processing_dump")

FINISH_S: Final = 5.0
"""How long the end of a recording waits for the disk to take what is queued: the queue is 6 MB."""


class ObservedVoice(Protocol):
    """What the sound of a session lets one observe."""

    def observe_processing(self, observer: ChainObserver) -> None:
        """Call it with every block of the microphone, on the capture thread, from now on."""

    def observe_processing_no_more(self, observer: ChainObserver) -> None:
        """Leave it alone."""


class ProcessingRecorder:
    """Belongs to the event loop; takes blocks from the moment it is made."""

    def __init__(self, voice: ObservedVoice, start_s: float) -> None:
        """Take what the microphone hears from `start_s` on, the recording's first sample, monotonic."""
        self._voice = voice
        self._dump = dump = processing_dump.ProcessingDump(start_s)

        def observe(block: CapturedBlock) -> None:
            dump.put(block.near, block.far, block.samples, block.captured_until)

        self._observer: ChainObserver = observe
        voice.observe_processing(observe)

    def begin(self, folder: Path, stem: str) -> None:
        """Write into files of this name from now on."""
        self._dump.start(folder, stem)

    def end(self) -> None:
        """Take nothing more. Returns at once; `ended` waits for the files. Safe to call twice."""
        self._voice.observe_processing_no_more(self._observer)
        self._dump.end()

    async def ended(self) -> bool:
        """Wait until the files are closed, but not for ever; whether they are."""
        return await asyncio.to_thread(self._dump.join, FINISH_S)

    def state(self) -> ProcessingFiles:
        """What is in the files."""
        totals = self._dump.totals
        return ProcessingFiles(
            paths=tuple(str(path) for path in totals.paths),
            duration_s=round(totals.duration_s, 6),
            lost_s=round(totals.lost_s, 3),
            failure=totals.failure,
        )

    def files(self, own: NamedPeer, others: tuple[NamedPeer, ...]) -> tuple[RecordedFile, ...]:
        """The files, each with those whose sound it holds: the reference is that of all others."""
        totals = self._dump.totals
        return tuple(
            RecordedFile(
                path=str(path),
                kind=kind,
                participants=others if kind == "reference" else (own,),
                duration_s=round(totals.duration_s, 6),
            )
            for kind, path in zip(processing_dump.KINDS, totals.paths, strict=False)
        )

    def warning(self) -> str | None:
        """What is missing in them."""
        totals = self._dump.totals
        if totals.failure is not None:
            return f"the sound around the filters could not be written: {totals.failure}"
        if not totals.duration_s:
            return "no sound passed the filters: the microphone did not run, or two channels are sent"
        if totals.lost_s:
            return f"{totals.lost_s:.2f} s of the sound around the filters are silence: the disk was too slow"
        return None
