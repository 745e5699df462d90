"""This session's part in the room of its call on an SFU: whether there is to be one, where, when it is entered, left, tried again.

Nobody decides for the others. Each session judges for itself whether the call is to go through a room, and says so; a room is used while anybody
in the call wants it. Which server is a rule too: where most are, else the first of one's own list that did not fail. So two who have the same list meet
without a word, and who was alone in a lost room finds the others where they are.
"""

import math
from collections import Counter
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from blink_cli.core.call.effects import CallEffect, EnterRoom, LeaveRoom, UseRoomKeys
from blink_cli.core.call.facts import SfuConnected, SfuLost, SfuNotTaken, Topology, TopologyChanged
from blink_cli.core.call.group_key import GroupKey
from blink_cli.core.call.membership import CallRecord
from blink_cli.core.call.room_announcing import OwnRoom
from blink_cli.core.call.room_policy import RoomPolicy, Via
from blink_cli.core.call.settings import CallSettings
from blink_cli.core.fact import Emit
from blink_cli.core.media.room import RoomFeed

MAX_REFUSED: Final = 8
"""Servers of which the user is told in a call that they are not used."""


class RoomPhase(Enum):
    """Where this session stands to the room."""

    OUT = auto()
    ENTERING = auto()
    IN = auto()


class RoomChange(Enum):
    """What a look changed."""

    NONE = auto()
    ENTERS = auto()
    LEFT = auto()
    """A room in which this session was, or that it was about to enter; it may enter another one."""


class CallRoom:
    """Of one joining. Its effects go into the outbox; moments are monotonic seconds."""

    def __init__(
        self,
        call: CallRecord,
        policy: RoomPolicy,
        settings: CallSettings,
        out: list[CallEffect],
        is_leavable: Callable[[], bool],
    ) -> None:
        """Be in no room.

        Args:
            call: Whose room.
            policy: What this session may use.
            settings: Timings.
            out: Takes the effects.
            is_leavable: Whether everybody who is heard through the room is connected directly.

        """
        self._call = call
        self._policy = policy
        self._settings = settings
        self._out = out
        self._is_leavable = is_leavable
        self.phase = RoomPhase.OUT
        self.url: str | None = None
        """Of the server on which the room is, or is being entered."""
        self.feed: RoomFeed | None = None
        """What is published there."""
        self.talking = False
        self.speaks = policy.enabled or len(call.participants) > settings.max_mesh
        """Whether this session tells how it stands to rooms: else nothing differs from what builds say that know none."""

        self.is_silent = False
        """Whether nothing comes from the server, though it is not given up yet."""

        self.trusted_at = -math.inf
        """From when on a server that was silent is relied on again: until then direct connections are kept, and nobody is told that he is heard there."""

        self._is_large = False
        self._silent_since = -math.inf
        self._leaving_since = math.inf
        self._failures: Counter[str] = Counter()
        self._again_at: dict[str, float] = {}
        self._more_elsewhere_since = math.inf
        self._refused: set[str] = set()
        self._keys: tuple[GroupKey, tuple[GroupKey, ...]] | None = None
        self._sealed_by: GroupKey | None = None
        self._seal_at = math.inf

    # what is so

    @property
    def is_in(self) -> bool:
        """Whether this session publishes in a room."""
        return self.phase is RoomPhase.IN

    @property
    def leaving(self) -> bool:
        """Whether it goes back to direct connections, and is heard in the room until they stand."""
        return self._leaving_since < math.inf

    @property
    def wants(self) -> bool:
        """By this session's own judgement the call is to go through a room; who knows no server has none."""
        if not self._policy.urls or self._call.via is Via.MESH:
            return False
        return self._call.via is Via.SFU or self._is_large

    @property
    def is_wanted(self) -> bool:
        """By that of anybody in the call, and this session takes part."""
        if not self._policy.enabled or self._call.via is Via.MESH:
            return False
        return self.wants or any(
            member.room is not None and member.room.wants for member in self._call.present
        )

    @property
    def expects(self) -> bool:
        """Whether this session is to be in a room, and is there or tries for the first time."""
        if not self.is_wanted:
            return False
        return self.phase is not RoomPhase.OUT or (not self._failures and self._place() is not None)

    @property
    def is_spare(self) -> bool:
        """Whether the call is so small that direct connections cost little beside a room, and need not wait to see it fail."""
        return len(self._call.present) < self._policy.above

    @property
    def is_likely(self) -> bool:
        """Whether there is to be a room if all come who are invited."""
        if not self._policy.urls or self._call.via is Via.MESH:
            return False
        return self._call.via is Via.SFU or len(self._call.participants) > self._policy.above

    def said(self) -> OwnRoom:
        """What is told to the others."""
        url = self.url or next(iter(self._policy.urls), None)
        return OwnRoom(
            talking=self.talking, wants=self.wants, takes=self._policy.enabled, url=url, feed=self.feed
        )

    # what happens

    def entered(self, url: str, feed: RoomFeed) -> bool:
        """The media layer publishes there; returns whether that was asked for."""
        if self.phase is not RoomPhase.ENTERING or url != self.url:
            return False
        self.phase, self.feed = RoomPhase.IN, feed
        self._failures.clear()
        self._again_at.clear()
        call_id = self._call.call_id
        self._out.append(Emit(SfuConnected(call_id=call_id, url=url)))
        self._out.append(Emit(TopologyChanged(call_id=call_id, topology=Topology.SFU)))
        return True

    def heard_feed(self, url: str, now: float) -> None:
        """Somebody says that it has come into a room there: worth a try soon, whatever became of the last one."""
        if url in self._again_at:
            self._again_at[url] = min(self._again_at[url], now + self._settings.room_again_s[0])

    def lost(self, url: str, reason: str, now: float) -> bool:
        """It cannot be entered, or is gone; returns whether this session was there, or on its way."""
        if self.phase is RoomPhase.OUT or url != self.url:
            return False
        was_in = self.is_in
        again_s = self._settings.room_again_s
        self._again_at[url] = now + again_s[min(self._failures[url], len(again_s) - 1)]
        self._failures[url] += 1
        self._be_out()
        call_id = self._call.call_id
        if was_in or self._failures[url] == 1:
            mesh = len(self._call.present) < self._settings.max_mesh
            self._out.append(Emit(SfuLost(call_id=call_id, url=url, reason=reason, mesh=mesh)))
        if was_in:
            self._out.append(Emit(TopologyChanged(call_id=call_id, topology=Topology.MESH)))
        return True

    def fell_silent(self, url: str, now: float, *, silent: bool) -> bool:
        """Nothing comes from the server any more, or something comes again; returns whether that is news of the room in which this session is."""
        if not self.is_in or url != self.url or silent is self.is_silent:
            return False
        self.is_silent = silent
        self.trusted_at = math.inf if silent else now + self._settings.room_trusted_after_s
        return True

    def close(self) -> None:
        """The call is over for this session."""
        if self.phase is not RoomPhase.OUT:
            self._out.append(LeaveRoom(self._call.call_id))
            self._be_out()

    # time

    def next_timeout(self) -> float:
        """When `look` may have something to do though nothing happened."""
        due = self._seal_at if self.phase is not RoomPhase.OUT else math.inf
        if self.phase is RoomPhase.OUT and self.is_wanted:
            due = min(due, min(self._again_at.values(), default=math.inf), self._when_somebody_is_silent())
        if self.leaving:
            due = min(due, self._leave_at)
        return min(due, self._more_elsewhere_since + self._settings.room_move_after_s)

    def look(self, now: float) -> RoomChange:
        """Enter, leave, move, as is due."""
        self._silent_since = now - self._settings.peer_silence_s
        self._judge_size()
        self._note_refused()
        self._again_at = {url: at for url, at in self._again_at.items() if at > now}
        if self.phase is not RoomPhase.OUT and not self.is_wanted:
            return self._go(now)
        self._leaving_since = math.inf
        return self._try_to_enter(now) if self.phase is RoomPhase.OUT else self._move(now)

    def use_keys(self, now: float) -> bool:
        """Seal and open by the keys that are held now; returns whether these are others than before.

        Who publishes goes on by the former key for a moment: a packet that nobody can open yet is lost.
        """
        if self.phase is RoomPhase.OUT:
            return False
        current, *others = self._call.keys.of_media
        if self._sealed_by is None or self._sealed_by not in (current, *others):
            self._sealed_by = current
        if current == self._sealed_by:
            self._seal_at = math.inf
        elif self._seal_at == math.inf:
            self._seal_at = now + self._settings.room_seal_after_s
        elif now >= self._seal_at:
            self._sealed_by, self._seal_at = current, math.inf
        keys = self._sealed_by, tuple(key for key in (current, *others) if key != self._sealed_by)
        if keys == self._keys:
            return False
        self._keys = keys
        self._out.append(UseRoomKeys(self._call.call_id, *keys))
        return True

    # the moves

    def _when_somebody_is_silent(self) -> float:
        """When the first of those who are in a room elsewhere, or in a lost one, may have been silent for too long to be followed."""
        words = (
            member.heard_at
            for member in self._call.present
            if member.room is not None
            and member.room.feed is not None
            and member.heard_at > self._silent_since
        )
        return min(words, default=math.inf) + self._settings.peer_silence_s

    def _judge_size(self) -> None:
        present = len(self._call.present) + 1
        bound = self._policy.below if self._is_large else self._policy.above + 1
        self._is_large = present >= bound

    def _try_to_enter(self, now: float) -> RoomChange:
        if not self.is_wanted or self._call.keys.lapsed:
            return RoomChange.NONE
        url = self._place()
        if url is None:
            return RoomChange.NONE
        self._enter(url, now)
        return RoomChange.ENTERS

    def _enter(self, url: str, now: float) -> None:
        self.phase, self.url = RoomPhase.ENTERING, url
        self._again_at.pop(url, None)
        self._sealed_by = self._call.keys.current
        self._seal_at = math.inf
        self.use_keys(now)
        self._out.append(EnterRoom(self._call.call_id, url, self._call.group_key))

    def _go(self, now: float) -> RoomChange:
        """Back to direct connections, which are made before the room is left."""
        if self.is_in and self._leaving_since == math.inf:
            self._leaving_since = now
        if self.is_in and now < self._leave_at:
            return RoomChange.NONE
        self._leave()
        return RoomChange.LEFT

    @property
    def _leave_at(self) -> float:
        """When the room is left from which this session goes back: soon if everybody is connected directly, else when that takes too long."""
        settings = self._settings
        waits_s = settings.room_leave_grace_s if self._is_leavable() else settings.room_leave_patience_s
        return self._leaving_since + waits_s

    def _leave(self) -> None:
        was_in = self.is_in
        self._out.append(LeaveRoom(self._call.call_id))
        self._be_out()
        if was_in:
            self._out.append(Emit(TopologyChanged(call_id=self._call.call_id, topology=Topology.MESH)))

    def _move(self, now: float) -> RoomChange:
        """To where more of the others are, or as many by a rule."""
        if not self.is_in:
            return RoomChange.NONE
        crowds = self._crowds()
        best = min(crowds, key=lambda url: (-crowds[url], url), default=None)
        mine = crowds.get(self.url or "", 0) + 1
        if best is None or best == self.url or (crowds[best], self.url or "") <= (mine, best):
            self._more_elsewhere_since = math.inf
            return RoomChange.NONE
        self._more_elsewhere_since = min(self._more_elsewhere_since, now)
        if now < self._more_elsewhere_since + self._settings.room_move_after_s:
            return RoomChange.NONE
        self._leave()
        self._enter(best, now)
        return RoomChange.LEFT

    def _crowds(self) -> Counter[str]:
        """Where the others are, of the servers that this session takes, by the word of those who are not silent."""
        heard = [member.room for member in self._call.present if member.heard_at > self._silent_since]
        return Counter(
            room.url
            for room in heard
            if room is not None
            and room.url is not None
            and room.feed is not None
            and self._policy.takes(room.url)
        )

    def _note_refused(self) -> None:
        """The call goes by a server that this session does not use: its user is told once."""
        for member in self._call.present:
            room = member.room
            if room is None or room.url is None or room.feed is None or self._policy.takes(room.url):
                continue
            if room.url not in self._refused and len(self._refused) < MAX_REFUSED:
                self._refused.add(room.url)
                self._out.append(Emit(SfuNotTaken(call_id=self._call.call_id, url=room.url)))

    def _place(self) -> str | None:
        """Where to go now; None: nowhere yet."""
        crowds = self._crowds()
        if crowds:
            url = min(crowds, key=lambda url: (-crowds[url], url))
            return None if url in self._again_at else url
        urls = self._policy.urls
        if not urls and self._policy.takes_any:
            named = [member.room.url for member in self._call.present if member.room is not None]
            urls = tuple(sorted(url for url in named if url is not None))
        ready = [url for url in urls if url not in self._again_at]
        return min(ready, key=lambda url: (self._failures[url], urls.index(url)), default=None)

    def _be_out(self) -> None:
        self.phase, self.url, self.feed = RoomPhase.OUT, None, None
        self._leaving_since = self._more_elsewhere_since = self._seal_at = math.inf
        self._keys = self._sealed_by = None
        self.is_silent, self.trusted_at = False, -math.inf
