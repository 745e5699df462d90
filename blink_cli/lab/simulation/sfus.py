"""SFUs of the simulated network: rooms that sessions enter, publish in, and hear each other through; killed, cut off, started again.

A server forwards what is published by whoever it takes to be there: one that crashed too, until it is missed.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from blink_cli.core.call import inputs
from blink_cli.core.call.effects import EnterRoom, HearInRoom, LeaveRoom, PeerTalks, UseRoomKeys
from blink_cli.core.call.group_key import GroupKey
from blink_cli.core.call.inputs import CallInput
from blink_cli.core.ids import Did
from blink_cli.core.media.room import STREAM_ID_BYTES, RoomFeed

NOTICED_S: Final = (0.005, 3.0)
"""When a session notices that its server is gone: at once if the socket closes, at the latest by its own keepalives."""

MISSED_S: Final = (3.0, 8.0)
"""When a server notices that a publisher is gone."""

SLOTS: Final = 4
"""Of so many at once the media are heard."""

RoomEffect = EnterRoom | LeaveRoom | UseRoomKeys | HearInRoom | PeerTalks


class Visitor(Protocol):
    """What a session of the world has of rooms."""

    index: int
    alive: bool
    frozen: bool
    life: int
    seat: "Seat | None"
    room_keys: tuple[GroupKey, ...]
    """By the first it seals, by all it opens."""
    ears: "dict[Did, Ear]"


V = TypeVar("V", bound=Visitor)


class Stage(Protocol[V]):
    """The world: its dice, its time, its sessions."""

    random: random.Random

    @property
    def nodes(self) -> Sequence[V]:
        """All of them."""

    def after(self, delay_s: float, action: Callable[..., None], *args: Any) -> None:
        """Do this in so many virtual seconds."""

    def input(self, node: V, told: CallInput | None) -> None:
        """Give a session's machine one input."""


@dataclass(slots=True, eq=False)
class Seat:
    """What a session has of a room."""

    node: Any
    """Whose."""
    url: str
    key: bytes
    """Of the invitation: names the room."""

    feed: RoomFeed | None = None
    gone: bool = False


@dataclass(slots=True, eq=False)
class Ear:
    """One participant, heard in the room."""

    epoch: int
    feed: RoomFeed
    up: bool = False


class Sfus(Generic[V]):
    """All of them. Drawn from the world's dice, so that a seed decides everything."""

    def __init__(self, world: Stage[V]) -> None:
        self._world = world
        self.down: set[str] = set()
        self.cut_off: set[int] = set()
        """Sessions that reach no server."""
        self.silences = 0.0
        """In which share of all visits the server seems to stand still once, for a moment and for one session."""

        self._published: dict[int, Seat] = {}

    # what sessions ask for

    def carry_out(self, node: V, effect: RoomEffect) -> None:
        """Play one effect out."""
        world = self._world
        match effect:
            case EnterRoom(url=url, invitation_key=key):
                assert node.seat is None, "a room is left before another is entered"
                assert node.room_keys, "keys come before the room"
                node.seat = Seat(node, url, key)
                world.after(world.random.uniform(0.01, 0.08), self._enter, node.seat, node.life)
            case LeaveRoom():
                assert node.seat is not None, "what is left was entered"
                self._unpublish(node.seat)
                self.forget(node)
            case UseRoomKeys(current=current, former=former):
                node.room_keys = (current, *former)
                assert len(set(node.room_keys)) == len(node.room_keys), "each key is named once"
            case HearInRoom(peer=peer, epoch=epoch, feed=feed):
                assert node.seat is not None, "who hears in a room is there"
                assert node.seat.feed is not None, "who hears in a room publishes there"
                assert peer not in node.ears, "of each participant there is one hearing"
                ear = node.ears[peer] = Ear(epoch, feed)
                world.after(world.random.uniform(0.005, 0.05), self._hear, node, peer, ear)
            case PeerTalks(peer=peer):
                assert peer in node.ears, "who talks is heard in the room"

    def forget(self, node: V) -> None:
        """The session has nothing of any room any more."""
        if node.seat is not None:
            node.seat.gone = True
        node.seat, node.room_keys = None, ()
        node.ears.clear()

    def crashed(self, node: V) -> None:
        """Nobody tells the server."""
        if node.seat is not None:
            seat = node.seat
            self._world.after(self._world.random.uniform(*MISSED_S), self._unpublish, seat)
        self.forget(node)

    def heard(self, node: V) -> list[tuple[Did, int]]:
        """Whose media come at the moment, of those who say something, with the epochs of their hearings."""
        speaking = [
            (peer, ear.epoch)
            for peer, ear in node.ears.items()
            if ear.up and self._carries(node, self._published.get(ear.feed.feed))
        ]
        count = min(SLOTS, len(speaking))
        return self._world.random.sample(speaking, count) if count else []

    # what happens to servers

    def kill(self, url: str) -> None:
        """It is gone with all its rooms; whoever was there notices by and by."""
        self.down.add(url)
        for seat in [seat for seat in self._published.values() if seat.url == url]:
            self._drop(seat)

    def restart(self, url: str) -> None:
        """It is back, and empty."""
        self.down.discard(url)

    def cut(self, node: V) -> None:
        """This session reaches no server any more."""
        self.cut_off.add(node.index)
        if node.seat is not None and node.seat.feed is not None:
            seat = node.seat
            self._world.after(self._world.random.uniform(*MISSED_S), self._unpublish_if_cut, seat)
            self._drop(seat)

    def mend(self) -> None:
        """Everything works again."""
        self.silences = 0.0
        self.down.clear()
        self.cut_off.clear()

    # inside

    def _reaches(self, node: V, url: str) -> bool:
        return url not in self.down and node.index not in self.cut_off

    def _carries(self, node: V, seat: Seat | None) -> bool:
        return (
            seat is not None
            and seat.node.alive
            and not seat.node.frozen
            and not seat.gone
            and self._reaches(seat.node, seat.url)
            and self._reaches(node, seat.url)
        )

    def _drop(self, seat: Seat) -> None:
        if seat.feed is not None:
            self._published.pop(seat.feed.feed, None)
        self._world.after(self._world.random.uniform(*NOTICED_S), self._lost, seat, "the server is gone")

    def _enter(self, seat: Seat, life: int) -> None:
        world, node = self._world, seat.node
        if seat.gone or node.life != life:
            return
        if node.frozen:
            world.after(0.1, self._enter, seat, life)
            return
        if not self._reaches(node, seat.url):
            world.after(world.random.uniform(0.0, 3.0), self._lost, seat, "the server does not answer")
            return
        if world.random.random() < 0.02:
            self._lost(seat, "the server refused")
            return
        seat.feed = RoomFeed(world.random.randrange(2**40), world.random.randbytes(STREAM_ID_BYTES), 111, 63)
        self._published[seat.feed.feed] = seat
        world.input(node, inputs.RoomEntered(seat.url, seat.feed))
        if world.random.random() < self.silences:
            world.after(
                world.random.uniform(0.1, 5.0),
                self._fall_silent,
                seat,
                inputs.RoomSilent(seat.url, silent=True),
            )

    def _fall_silent(self, seat: Seat, told: inputs.RoomSilent) -> None:
        """It stands still for a moment, as this session sees it; the others may see nothing."""
        node = seat.node
        if seat.gone or not node.alive:
            return
        self._world.input(node, told)
        if told.silent:
            over = inputs.RoomSilent(seat.url, silent=False)
            self._world.after(self._world.random.uniform(0.1, 3.0), self._fall_silent, seat, over)

    def _lost(self, seat: Seat, reason: str) -> None:
        node = seat.node
        if seat.gone or not node.alive:
            return
        if node.frozen:
            self._world.after(0.1, self._lost, seat, reason)
            return
        url = seat.url
        self._unpublish(seat)
        self.forget(node)
        self._world.input(node, inputs.RoomLost(url, reason))

    def _hear(self, node: V, peer: Did, ear: Ear) -> None:
        if node.ears.get(peer) is not ear:
            return
        if node.frozen:
            self._world.after(0.1, self._hear, node, peer, ear)
            return
        there = self._published.get(ear.feed.feed)
        refused = self._world.random.random() < 0.02
        if (
            refused
            or there is None
            or node.seat is None
            or (there.url, there.key) != (node.seat.url, node.seat.key)
        ):
            del node.ears[peer]
            self._world.input(node, inputs.Ended(peer, ear.epoch, "no such feed"))
            return
        ear.up = True
        self._world.input(node, inputs.Connected(peer, ear.epoch))

    def _unpublish_if_cut(self, seat: Seat) -> None:
        if seat.node.index in self.cut_off:
            self._unpublish(seat)

    def _unpublish(self, seat: Seat) -> None:
        """Whoever hears it is told by the server."""
        if seat.feed is None or self._published.pop(seat.feed.feed, None) is None:
            return
        for node in self._world.nodes:
            for peer, ear in node.ears.items():
                if ear.feed == seat.feed:
                    self._world.after(
                        self._world.random.uniform(0.002, 0.05), self._ended, node, peer, ear, seat.url
                    )

    def _ended(self, node: V, peer: Did, ear: Ear, url: str) -> None:
        if node.ears.get(peer) is not ear or not self._reaches(node, url):
            return
        if node.frozen:
            self._world.after(0.1, self._ended, node, peer, ear, url)
            return
        del node.ears[peer]
        self._world.input(node, inputs.Ended(peer, ear.epoch, "not published any more"))


def sealing_key(node: Visitor) -> GroupKey | None:
    """By which a session seals what it publishes."""
    return node.room_keys[0] if node.room_keys else None
