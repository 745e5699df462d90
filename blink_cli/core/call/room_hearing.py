"""One participant, heard through the room in which both are: asked for, standing, asked for again when it ended.

HearInRoom(epoch) --> Connected(epoch) --> Ended(epoch) --> after a moment HearInRoom(next epoch)
"""

import math

from blink_cli.core.call.dialling import Epochs
from blink_cli.core.call.effects import CallEffect, Hangup, HearInRoom, PeerTalks
from blink_cli.core.call.settings import CallSettings
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.room import RoomFeed


class RoomHearing:
    """Of one feed. What it wants done goes into the outbox that it was given."""

    __slots__ = (
        "_attempts",
        "_call_id",
        "_epochs",
        "_out",
        "_peer",
        "_retry_at",
        "_settings",
        "_talking",
        "epoch",
        "feed",
        "media_at",
        "stands",
        "stands_since",
    )

    def __init__(  # noqa: PLR0917 - made in one place, by the link
        self,
        call_id: CallId,
        peer: Did,
        feed: RoomFeed,
        epochs: Epochs,
        settings: CallSettings,
        out: list[CallEffect],
    ) -> None:
        self._call_id = call_id
        self._peer = peer
        self._epochs = epochs
        self._settings = settings
        self._out = out
        self._attempts = 0
        self._retry_at = math.inf
        self._talking = False
        self.feed = feed
        self.epoch = 0
        """Of the present hearing; 0 while none is asked for."""
        self.media_at = -math.inf
        self.stands = False
        self.stands_since = math.inf

    def ask(self, beyond: int) -> None:
        """Hear it, by an epoch larger than all of this session and than `beyond`."""
        self.end()
        self.epoch = self._epochs.next(beyond)
        self._retry_at = math.inf
        self._out.append(HearInRoom(self._call_id, self._peer, self.epoch, self.feed))
        if self._talking:
            self._out.append(PeerTalks(self._call_id, self._peer, talking=True))

    def end(self) -> None:
        """Hear it no more."""
        if self.epoch:
            self._out.append(Hangup(self._call_id, self._peer, self.epoch))
        self.forget()

    def forget(self) -> None:
        """The hearing is over without a word, as the room is."""
        self.epoch = 0
        self.stands = False
        self._retry_at = math.inf

    def talks(self, *, talking: bool) -> None:
        """By its own word it begins or ends to talk."""
        if talking != self._talking:
            self._talking = talking
            if self.epoch:
                self._out.append(PeerTalks(self._call_id, self._peer, talking))

    def connected(self, now: float) -> None:
        """It can be heard from now on."""
        self.stands = True
        self.stands_since = now

    def closed(self, now: float) -> None:
        """It cannot be heard any more, though the room stands: asked again in a moment, if it still says that it is there."""
        if self.stands and now - self.stands_since >= self._settings.stable_s:
            self._attempts = 0
        self.forget()
        again_s = self._settings.room_hear_again_s
        self._retry_at = now + again_s[min(self._attempts, len(again_s) - 1)]
        self._attempts += 1

    @property
    def due_at(self) -> float:
        """When it is to be asked for again; infinity: not."""
        return self._retry_at

    def shift_deadlines(self, slept_s: float) -> None:
        """This session was stopped for so long."""
        self.media_at += slept_s
