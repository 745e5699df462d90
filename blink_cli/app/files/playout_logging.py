"""What stands beside an RTP log of what the playout does: its decisions, and what a replay of the call needs.

    [playout thread] played ──> PlayoutLogWriter ──> NAME.playout.jsonl, NAME.replay.jsonl

Begun and ended by the RTP log to which it belongs. Who logs for a replay keeps everybody's voice, and so records: all are shown that.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec
from typing_extensions import override

from blink_cli.audio.playout.concealment_kind import decoder_name
from blink_cli.audio.playout.settings import PlayoutSettings
from blink_cli.core.api.events import Event, Observer, ObserverFailed
from blink_cli.core.media.media_tap import FramePlayed, MediaTap
from blink_cli.core.media.mix_tick import MixTick
from blink_cli.record.rtp_log.playout_writer import PlayoutLogWriter
from blink_cli.record.rtp_log.replay_lines import VERSION, Head
from blink_cli.runtime.loop_bridge import LoopBridge

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from blink_cli.app.media.media_taps import MediaTaps
    from blink_cli.core.ids import CallId


class PlayoutWish(msgspec.Struct, frozen=True):
    """What is wanted of an RTP log besides its rows."""

    decisions: bool = False
    replayable: bool = False
    payload: bool = False
    """In the log itself: what packets carry. Nothing stands beside it for that."""

    @property
    def keeps_voices(self) -> bool:
        """Whether this is a recording, which all in the call are to be shown."""
        return self.replayable or self.payload


NOTHING_BESIDE: Final = PlayoutWish()


class PlayoutLogging(MediaTap):
    """Belongs to the event loop, but for `played`. Listens in only while something was asked for."""

    observer = Observer.PLAYOUT_LOG
    wants_ticks = True

    def __init__(
        self,
        taps: MediaTaps,
        publish: Callable[[Event], None],
        show_recording: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """Log nothing yet. `show_recording` shows all in the call whether voices are kept."""
        self._taps = taps
        self._publish = publish
        self._show_recording = show_recording
        self._bridge = LoopBridge()
        self._wish = NOTHING_BESIDE
        self._writer: PlayoutLogWriter | None = None
        self._paused = False
        self._shown = False

    def want(self, wish: PlayoutWish) -> None:
        """Log this beside the logs that begin from now on."""
        self._wish = wish
        if wish.decisions or wish.replayable:
            self._taps.add(self)
        # Said before the first word is on the disk, and before a call in which that will be so.
        self._show(wish.keeps_voices)

    def want_no_more(self) -> None:
        """Log nothing beside the logs that follow. What runs was ended before."""
        self._wish = NOTHING_BESIDE
        self._paused = False
        self._show(self._wish.keeps_voices)
        if self._writer is None:
            self._taps.remove(self)

    def begin(self, log: Path, call: CallId, opened: Future[None]) -> PlayoutLogWriter | None:
        """Begin what is wanted beside this log, as soon as that is opened. None: nothing is."""
        wish = self._wish
        if not (wish.decisions or wish.replayable):
            return None
        head = Head(
            version=VERSION,
            call=call,
            opus=decoder_name(),
            settings=msgspec.structs.asdict(PlayoutSettings()),
            wall_offset_s=time.time() - time.monotonic(),
        )
        writer = self._writer = PlayoutLogWriter(
            log,
            decisions=wish.decisions,
            replay=head if wish.replayable else None,
            opened=opened,
            on_failure=lambda reason: self._bridge.call(self._failed, reason),
        )
        writer.set_paused(self._paused)
        return writer

    def end(self) -> None:
        """Close what runs, in the background."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.finish()

    def end_with_media(self) -> None:
        """Close what runs as soon as the playout thread, which is about to end, has played its last tick."""
        if self._writer is not None:
            self._writer.finish_when_quiet()

    def ended(self, writer: PlayoutLogWriter) -> None:
        """Its files are closed."""
        if self._writer is writer:
            self._writer = None
        if self._writer is None and self._wish == NOTHING_BESIDE:
            self._taps.remove(self)

    def set_paused(self, *, paused: bool) -> None:
        """Leave ticks out, or do not any more."""
        self._paused = paused
        if self._writer is not None:
            self._writer.set_paused(paused)

    # ---- MediaTap

    @override
    def played(self, what: FramePlayed | MixTick) -> None:
        """Log a tick. On the playout thread."""
        writer = self._writer
        if writer is not None and isinstance(what, MixTick):
            writer.put(what)

    @override
    def tap_failed(self, reason: str) -> None:
        """End the files: from here on ticks would be missing."""
        self.end()
        self.want_no_more()

    def _show(self, recording: bool) -> None:  # noqa: FBT001 - the state, as it comes
        if recording != self._shown:
            self._shown = recording
            self._show_recording(recording)

    def _failed(self, reason: str) -> None:
        self._publish(ObserverFailed(observer=self.observer, reason=reason))
