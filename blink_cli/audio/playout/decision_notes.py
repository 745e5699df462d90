"""Notes what the playout buffer does and why, while somebody wants to know. Otherwise each note costs one look at a field."""

from blink_cli.audio.playout.delay_target import DelayTarget
from blink_cli.audio.playout.frame_store import FrameStore
from blink_cli.audio.playout.schedule import Schedule
from blink_cli.core.audio_format import TICK_SAMPLES
from blink_cli.core.media.playout_decision import PlayoutAction, PlayoutDecision, PlayoutReason
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.unwrapper import SEQUENCE_MASK, TIMESTAMP_MASK


class DecisionNotes:
    """Of one buffer; reads its parts, and changes none. Media times are extended RTP timestamps."""

    __slots__ = ("_schedule", "_store", "_target", "into", "now_s", "ssrc")

    def __init__(self, schedule: Schedule, target: DelayTarget, store: FrameStore) -> None:
        self._schedule = schedule
        self._target = target
        self._store = store
        self.into: list[PlayoutDecision] | None = None
        """Where notes go; None: nowhere."""

        self.ssrc = 0
        """Of the stream that is played."""

        self.now_s: float | None = None
        """Of the last tick; None before the first."""

    def add(
        self,
        action: PlayoutAction,
        reason: PlayoutReason,
        media_time: int,
        sequence: int | None = None,
        *,
        samples: int = 0,
        arrival_s: float | None = None,
    ) -> None:
        """Note what was done with the sound that begins at `media_time`."""
        if self.into is None:
            return
        now_s = self.now_s
        waited_ms = delay_ms = None
        if now_s is not None:
            waited_ms = None if arrival_s is None else _ms(now_s - arrival_s)
            delay_ms = None if self._target.is_empty else _ms(self._schedule.delay_s(media_time, now_s))
        self.into.append(
            PlayoutDecision(
                action=action,
                reason=reason,
                ssrc=self.ssrc,
                timestamp=media_time & TIMESTAMP_MASK,
                sequence=None if sequence is None else sequence & SEQUENCE_MASK,
                samples=samples,
                waited_ms=waited_ms,
                delay_ms=delay_ms,
                target_ms=_ms(self._target.target_s),
                frames_waiting=len(self._store),
            )
        )

    def dropped(self, packet: RtpPacket, reason: PlayoutReason) -> None:
        """Note a packet that was not even given a place in time."""
        if self.into is not None:
            self.into.append(
                PlayoutDecision(
                    action=PlayoutAction.DISCARDED,
                    reason=reason,
                    ssrc=packet.ssrc,
                    timestamp=packet.timestamp,
                    sequence=packet.sequence_number,
                    samples=0,
                    waited_ms=None,
                    delay_ms=None,
                    target_ms=_ms(self._target.target_s),
                    frames_waiting=len(self._store),
                )
            )

    def rested(self, media_time: int) -> None:
        """Note a tick in which nothing was played, since none is or was due."""
        if self.into is None:
            return
        first = self._store.first()
        if first is None:
            self.add(PlayoutAction.SLEPT, PlayoutReason.NOTHING_CAME, media_time, samples=TICK_SAMPLES)
        else:
            self.add(PlayoutAction.WAITED, PlayoutReason.NOT_DUE, first, samples=TICK_SAMPLES)

    def stretched(self, media_time: int, removed_before: int, inserted_before: int) -> None:
        """Note what the schedule has left out or repeated, if it has."""
        if self.into is None:
            return
        removed = self._schedule.removed_samples - removed_before
        inserted = self._schedule.inserted_samples - inserted_before
        if removed:
            self.add(PlayoutAction.SHORTENED, PlayoutReason.OVER_TARGET, media_time, samples=removed)
        if inserted:
            self.add(PlayoutAction.LENGTHENED, PlayoutReason.UNDER_TARGET, media_time, samples=inserted)


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 3)
