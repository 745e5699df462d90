"""What must be true after every step of every session, and of all sessions together when the faults are over."""

from collections import Counter
from collections.abc import Iterable

from blink_cli.core.api.events import (
    CallCancelled,
    CallJoined,
    CallTerminated,
    Event,
    IncomingCall,
    LeaveReason,
    LinkChanged,
    LinkState,
    ParticipantJoined,
    ParticipantLeft,
)
from blink_cli.core.call.call_room import RoomPhase
from blink_cli.core.call.dialling import dials
from blink_cli.core.call.effects import Answer, CallEffect, Dial, HearInRoom, SendToCall, SendToPeer
from blink_cli.core.call.pending import LISTED
from blink_cli.core.call.settings import LAN
from blink_cli.core.call.transitions import LinkPhase, Phase
from blink_cli.core.fact import Emit
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.signals import Announce, Cancel, NewKey, Offer, RoomAnnounce, SessionDescription
from blink_cli.lab.simulation.node import Node
from blink_cli.lab.simulation.sfus import sealing_key
from blink_cli.lab.simulation.world import World


class RuleBrokenError(AssertionError):
    """A rule was broken."""


def demand(condition: object, rule: str, node: Node) -> None:
    """Complain with the rule's words and the session's."""
    if not condition:
        raise RuleBrokenError(f"{rule} ({node.did[-4:]}#{node.index}, life {node.life})")


class Watch:
    """Follows one life of every node and checks each of its steps."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stories: dict[tuple[int, int], Story] = {}
        world.after_step = self.check_step
        world.on_effect = self.check_effect

    def story(self, node: Node) -> "Story":
        """What was told to the user interfaces of this life."""
        return self._stories.setdefault((node.index, node.life), Story(node))

    def check_effect(self, node: Node, effect: CallEffect) -> None:
        """Each effect fits what the session is."""
        match effect:
            case Dial():
                demand(dials(node.did, effect.peer), "only the side that the tie-break names dials", node)
                demand(effect.epoch > node.epochs.get(effect.peer, 0), "epochs only grow", node)
                node.epochs[effect.peer] = effect.epoch
            case Answer():
                demand(
                    not dials(node.did, effect.peer) or effect.sdp in self._world.connections.early_tokens,
                    "only the side that the tie-break names dials, and a caller while it rings",
                    node,
                )
                active = node.machine._active_call
                assert active is not None, "descriptions are answered in a call"
                # One of both: who comes a second time answers what was described to it while it rang, if the first answer was lost.
                theirs = active.call.members[effect.peer].incarnation
                life = (effect.call_id, effect.peer, theirs, active.call.own_incarnation)
                demand(effect.epoch > node.answered.get(life, 0), "an older description is ignored", node)
                node.answered[life] = effect.epoch
            case HearInRoom():
                demand(effect.epoch > node.heard_epoch, "epochs of hearings only grow", node)
                node.heard_epoch = effect.epoch
            case SendToCall() if isinstance(effect.signal, Announce | RoomAnnounce):
                demand(node.media == effect.call_id, "only who is in the call announces itself", node)
            case SendToPeer() if isinstance(effect.signal, NewKey):
                demand(node.media == effect.call_id, "only who is in the call gives its key", node)
                call = node.machine._call_table.get(effect.call_id)
                if call is not None:  # else it ends in this very step
                    member = call.members[effect.peer]
                    left = not member.present and 0 < member.left_incarnation >= member.incarnation
                    demand(not (member.declined or left), "who declined or left is given no key", node)
            case SendToPeer() if isinstance(effect.signal, Offer | SessionDescription):
                demand(
                    effect.call_id in node.topics,
                    "offers and descriptions belong to a call that stands",
                    node,
                )
            case Emit():
                self.story(node).tell(effect.event)
            case _:
                pass

    def check_step(self, node: Node) -> None:
        """No step leaves a call half open."""
        machine = node.machine
        current = machine.current
        demand(node.media == current, "media runs if and only if the session is in a call", node)
        calls = machine._call_table._calls
        demand(calls.keys() == node.topics.keys(), "topics are open for the known calls and no others", node)
        pending = 0
        for call_id, call in calls.items():
            phase = call.phase
            held = node.topics[call_id]
            read = {b"" if key.epoch == 0 else key.key_id for key in call.keys}
            demand(held.keys() == read, "it holds the keys that it may read with, and no others", node)
            demand(len(held) <= 6, "the keys of a call are bounded", node)
            if phase in LISTED:
                pending += 1
            elif phase is not Phase.LEAVING and call_id != current:
                demand(None, "an open topic is pending, current or being left", node)
        demand(current is None or current in calls, "the current call has its topics", node)
        demand(
            pending <= 2 * LAN.max_pending + LAN.max_pending_of_strangers,
            "the list of pending calls is bounded",
            node,
        )
        demand(len(machine._pending_cancels) <= LAN.max_pending_cancels, "farewells are bounded", node)
        demand(
            len(machine._call_table._cancelled) <= LAN.max_cancelled_remembered,
            "remembered cancels are bounded",
            node,
        )
        self._check_links(node)
        letters = node.courier.letters
        for letter in letters.values():
            if letter.call_id != current and type(letter.signal) is Offer:
                demand(None, "only the current call is offered", node)
        demand(len(letters) <= 8 * len(self._world.nodes) + 64, "signals under way are bounded", node)

    def _check_links(self, node: Node) -> None:
        active = node.machine._active_call
        connections = node.connections
        if active is None:
            demand(not connections and not node.early, "no link outlives its call", node)
            demand(node.seat is None and not node.ears, "no room outlives its call", node)
            return
        in_room = node.seat is not None
        demand(
            in_room == (active.room.phase is not RoomPhase.OUT), "the machine knows where it publishes", node
        )
        demand(in_room or not node.ears, "who hears in a room is there", node)
        demand(node.policy.enabled or not in_room, "only who may use an SFU enters a room", node)
        held = node.topics[active.call.call_id].values()
        for key in node.room_keys:
            demand(key.key in held, "media are opened by keys that are held, and by no others", node)
        members = active.call.members
        demand(connections.keys() <= members.keys(), "only invited peers are connected", node)
        if node.early_epochs.keys() & connections.keys():
            demand(None, "an early description ends where a connection begins", node)
        for did, link in active.links.items():
            if link._open != (did in connections or node.early_epochs.get(did) == link.epoch):
                demand(None, "the machine knows which connections stand", node)
            ear = node.ears.get(did)
            hearing = 0 if link.hearing is None else link.hearing.epoch
            demand(
                hearing == (0 if ear is None else ear.epoch),
                "the machine knows whom it hears in the room",
                node,
            )
            linked = members[did].present and link.wanted
            if linked == (link.state is LinkState.ABSENT):
                demand(None, "who is in the call has a link where one is wanted, and nobody else", node)
            if linked and not active.room.speaks and link.phase is LinkPhase.NONE:
                demand(None, "without a room everybody is connected directly", node)
            if not linked and link.phase is not LinkPhase.NONE:
                demand(None, "who is not in the call has no link", node)


class Story:
    """The events of one life make sense in their order."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._in_call: CallId | None = None
        self._joined: set[Did] = set()
        self._links: dict[Did, LinkState] = {}
        self._rung: set[CallId] = set()
        self._left: dict[tuple[CallId, Did], int] = {}

    def _instance(self, did: Did) -> int:
        active = self._node.machine._active_call
        return 0 if active is None else active.call.members[did].incarnation

    def tell(self, event: Event) -> None:
        """Check the next event."""
        node = self._node
        match event:
            case CallJoined():
                demand(self._in_call is None, "a call is joined after the last one ended", node)
                self._in_call = event.call_id
                self._joined, self._links = set(), {}
            case CallTerminated():
                demand(self._in_call == event.call_id, "the call that ends was joined", node)
                self._in_call = None
            case IncomingCall():
                demand(event.call_id not in self._rung, "a pending call rings once", node)
                self._rung.add(event.call_id)
            case CallCancelled():
                self._rung.discard(event.call_id)
            case ParticipantJoined():
                demand(event.call_id == self._in_call, "participants join the current call", node)
                demand(event.did not in self._joined, "who joins was not in it", node)
                told = self._left.get((event.call_id, event.did), 0)
                demand(self._instance(event.did) > told, "who left comes back only in a newer life", node)
                self._joined.add(event.did)
            case ParticipantLeft():
                demand(event.call_id == self._in_call, "participants leave the current call", node)
                demand(event.did in self._joined, "who leaves was in it", node)
                self._joined.discard(event.did)
                if event.reason is LeaveReason.LEFT:
                    self._left[event.call_id, event.did] = self._instance(event.did)
            case LinkChanged():
                demand(
                    self._links.get(event.did, LinkState.ABSENT) is not event.link,
                    "a link event is a change",
                    node,
                )
                self._links[event.did] = event.link
            case _:
                pass
        if isinstance(event, CallJoined | CallTerminated):
            self._rung.discard(event.call_id)


def check_settled(world: World, *, ghosts: bool) -> None:
    """All sessions in one call see each other, hear each other and show each other's state.

    Args:
        world: Some time after its faults ended.
        ghosts: Whether sessions that vanished without a word may still be listed as lost.

    """
    alive = [node for node in world.nodes if node.alive]
    calls: dict[CallId, list[Node]] = {}
    for node in alive:
        if node.machine.current is not None:
            calls.setdefault(node.machine.current, []).append(node)
    for call_id, members in calls.items():
        _check_keys(alive, members, call_id)
        names = Counter(node.did for node in members)
        for node in members:
            demand(names[node.did] == 1, "of two sessions of one identity the older one has left", node)
        for node in members:
            _check_member(world, node, members, call_id, ghosts=ghosts)


def _check_keys(alive: list[Node], members: list[Node], call_id: CallId) -> None:
    """Who is in a call shares one key, which nobody has who declined or left."""
    keys = {node.machine._call_table._calls[call_id].keys.current for node in members}
    demand(len(keys) == 1, "everyone in the call speaks under one key", members[0])
    (current,) = keys
    for node in alive:
        call = node.machine._call_table.get(call_id)
        if call is None or call.phase not in {Phase.LEAVING, Phase.LEFT, Phase.REJECTED} or len(members) < 2:
            continue
        held = node.topics[call_id].values()
        demand(current.key not in held, "who declined or left has no key of what is said afterwards", node)


def _check_member(world: World, node: Node, members: list[Node], call_id: CallId, *, ghosts: bool) -> None:
    view = node.machine.snapshot(world.now).call
    assert view is not None, "it is in this call"
    seen = {participant.did: participant for participant in view.participants}
    for other in members:
        if other is node:
            continue
        active = other.machine._active_call
        assert active is not None, "it is in this call"
        shown = seen[other.did]
        where = f"{node.did[-4:]}#{node.index} of {other.did[-4:]}#{other.index}"
        demand(shown.present, f"everyone in the call knows everyone in it: {where}", node)
        demand(
            shown.incarnation == active.incarnation, f"everyone knows everyone's present life: {where}", node
        )
        demand(
            (shown.muted, shown.deafened, shown.recording) == other.flags,
            f"everyone sees everyone's state: {where}",
            node,
        )
        if not active.links[node.did].wanted:
            demand(
                other.did not in node.connections, f"no pair is connected that wants no link: {where}", node
            )
            continue
        demand(
            shown.link is LinkState.CONNECTED, f"every pair is connected: {where} is {shown.link.value}", node
        )
        ear = node.ears.get(other.did)
        if ear is not None and ear.up and other.seat is not None and ear.feed == other.seat.feed:
            demand(sealing_key(other) in node.room_keys, f"everyone opens what everyone seals: {where}", node)
            continue
        connection = node.connections.get(other.did)
        assert connection is not None, f"who is not heard in the room is connected directly: {where}"
        back = other.connections.get(node.did)
        demand(
            back is not None and back.token == connection.remote,
            f"both ends hold the same connection: {where}",
            node,
        )
    here = {other.did for other in members}
    for participant in view.participants:
        if not participant.present or participant.did in here:
            continue
        elsewhere = _alive(world, participant.did)
        demand(
            ghosts and (not elsewhere or participant.link is not LinkState.CONNECTED),
            f"who is not in the call is not listed: {participant.did[-4:]} in {call_id[:6]}",
            node,
        )
        told = not any(_left(other, call_id, participant.incarnation) for other in elsewhere)
        demand(told, f"who left and still listens has made it known: {participant.did[-4:]}", node)


def check_rooms(world: World) -> None:
    """Long after the faults every call goes the way that its size, or its caller, asks for."""
    calls: dict[CallId, list[Node]] = {}
    for node in world.nodes:
        if node.alive and node.machine.current is not None:
            calls.setdefault(node.machine.current, []).append(node)
    for members in calls.values():
        active = {node.did: node.machine._active_call for node in members}
        able = [node for node in members if node.policy.enabled]
        wanted = any(one is not None and one.room.wants for one in active.values())
        for node in members:
            demand(
                (node.seat is not None) == (wanted and node in able), "a room is used if it is wanted", node
            )
            one = active[node.did]
            current = None if one is None or node.seat is None else one.call.keys.current
            demand(sealing_key(node) == current, "media are sealed by the current key", node)
        if not wanted:
            continue
        demand(len({node.seat.url for node in able if node.seat}) <= 1, "all are in one room", able[0])
        for node in able:
            for other in able:
                one = active[node.did]
                linked = one is not None and node is not other and one.links[other.did].wanted
                demand(not linked or other.did in node.ears, "who is in the room is heard there", node)
                demand(other.did not in node.connections, "and has no connection beside it", node)


def check_over(world: World) -> None:
    """After every session was shut down nothing is left of any call."""
    for node in world.nodes:
        if not node.alive:
            continue
        demand(not node.topics, "no topic is left open", node)
        demand(node.media is None, "no media runs on", node)
        demand(not node.connections and not node.early_epochs, "no connection is left", node)
        demand(node.seat is None, "no room is left behind", node)
        left = {type(letter.signal) for letter in node.courier.letters.values()}
        demand(left <= {Cancel}, "nothing is repeated any more but a withdrawal", node)
        demand(node.machine.next_timeout() is None, "nothing is due any more", node)


def check_pending(world: World) -> None:
    """Every call that is listed somewhere has somebody in it."""
    running = {node.machine.current for node in world.nodes if node.alive}
    for node in world.nodes:
        if node.alive:
            demand(set(node.machine.pending) <= running, "a call that everybody left is not listed", node)


def _left(node: Node, call_id: CallId, incarnation: int) -> bool:
    """Whether this session listens on after it left in this life or a newer one; another's ghost is not its own."""
    call = node.machine._call_table.get(call_id)
    if call is None or call.phase not in (Phase.LEAVING, Phase.LEFT):
        return False
    return incarnation <= call.own_incarnation


def _alive(world: World, did: Did) -> Iterable[Node]:
    return [node for node in world.nodes if node.alive and node.did == did]
