"""One process of the simulated network: its machine, and what a session around it would hold."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from blink_cli.core.api.events import Event
from blink_cli.core.call.group_key import GroupKey
from blink_cli.core.call.machine import CallMachine
from blink_cli.core.call.room_policy import RoomPolicy
from blink_cli.core.ids import CallId, Did
from blink_cli.lab.simulation.courier import Courier
from blink_cli.lab.simulation.sfus import Ear, Seat

_NO_ROOM: Final = RoomPolicy()


@dataclass(slots=True, eq=False)
class Connection:
    """One end of a dialled connection, as a media layer would hold it."""

    node: "Node"
    peer: Did
    epoch: int
    dialler: bool
    token: str
    remote: str | None = None
    """The token in the other half of the negotiation."""
    up: bool = False
    closed: bool = False


@dataclass(slots=True, eq=False)
class Node:
    """One process: a session, or nothing while it is down."""

    index: int
    did: Did
    machine: CallMachine
    courier: Courier
    life: int = 0
    alive: bool = True
    frozen: bool = False
    skew_ms: int = 0
    wake_at: float = float("inf")
    deliver_at: float = float("inf")
    topics: dict[CallId, dict[bytes, bytes]] = field(default_factory=dict)
    """The keys that it holds, by their names; that of the invitation has the empty one."""
    media: CallId | None = None
    connections: dict[Did, Connection] = field(default_factory=dict)
    early: dict[Did, Connection] = field(default_factory=dict)
    """Described while it rang, and not answered yet."""
    early_epochs: dict[Did, int] = field(default_factory=dict)
    """Of those, and of those that a media layer without servers did not make."""
    epochs: dict[Did, int] = field(default_factory=dict)
    answered: dict[tuple[CallId, Did, int, int], int] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    confirmed: set[tuple[Did, CallId]] = field(default_factory=set)
    inbox: deque[tuple[Any, ...]] = field(default_factory=deque)
    events: list[tuple[float, Event]] = field(default_factory=list)
    flags: tuple[bool, bool, bool] = (False, False, False)
    knows_rooms: bool = True
    """Of a build that does."""
    policy: RoomPolicy = _NO_ROOM
    seat: Seat | None = None
    room_keys: tuple[GroupKey, ...] = ()
    """By the first it seals, by all it opens."""
    ears: dict[Did, Ear] = field(default_factory=dict)
    heard_epoch: int = 0
    """Of its newest hearing in a room, in this life."""
