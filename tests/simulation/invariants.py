"""What must be true after every step of every session, and of all sessions together when the faults are over."""

from collections import Counter
from collections.abc import Iterable

from blink_cli.core.call.dialling import dials
from blink_cli.core.call.settings import LAN
from blink_cli.core.call.transitions import Phase
from blink_cli.core.call_effects import CallEffect, Dial, Emit, SendToCall, SendToPeer
from blink_cli.core.events import (
    CallCancelled,
    CallJoined,
    CallTerminated,
    Event,
    IncomingCall,
    LinkChanged,
    LinkState,
    ParticipantJoined,
    ParticipantLeft,
)
from blink_cli.core.names import CallId, Did
from blink_cli.core.signals import Announce, Cancel, Offer, SessionDescription
from tests.simulation.world import Node, World


class Violation(AssertionError):
    """A rule was broken."""


def demand(condition: object, rule: str, node: Node) -> None:
    """Complain with the rule's words and the session's."""
    if not condition:
        raise Violation(f"{rule} ({node.did[-4:]}#{node.index}, life {node.life})")


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
        current = node.machine.current
        match effect:
            case Dial():
                demand(dials(node.did, effect.peer), "only the side that the tie-break names dials", node)
                demand(effect.epoch > node.epochs.get(effect.peer, 0), "epochs only grow", node)
                node.epochs[effect.peer] = effect.epoch
            case SendToCall() if isinstance(effect.signal, Announce):
                demand(node.media == effect.call_id, "only who is in the call announces itself", node)
            case SendToPeer() if isinstance(effect.signal, Offer | SessionDescription):
                demand(
                    effect.call_id in node.topics, "offers and descriptions belong to a call that stands", node
                )
            case Emit():
                self.story(node).tell(effect.event)
            case _:
                del current

    def check_step(self, node: Node) -> None:
        """No step leaves a call half open."""
        machine = node.machine
        current = machine.current
        demand(node.media == current, "media runs if and only if the session is in a call", node)
        calls = machine._calls
        demand(calls.keys() == node.topics.keys(), "topics are open for the known calls and no others", node)
        known = set(machine.pending)
        if current is not None:
            known.add(current)
        for call_id, call in calls.items():
            demand(
                call_id in known or call.phase is Phase.LEAVING, "an open topic is pending, current or being left", node
            )
        demand(len(machine.pending) <= LAN.max_pending, "the list of pending calls is bounded", node)
        demand(len(machine._farewells) <= LAN.max_farewells, "farewells are bounded", node)
        demand(len(machine._cancelled) <= LAN.max_cancelled_remembered, "remembered cancels are bounded", node)
        self._check_links(node)
        letters = node.courier.letters
        offers = {letter.call_id for letter in letters.values() if type(letter.signal) is Offer}
        demand(offers <= {current}, "only the current call is offered", node)
        demand(len(letters) <= 8 * len(self._world.nodes) + 64, "signals under way are bounded", node)

    def _check_links(self, node: Node) -> None:
        talk = node.machine._conversation
        if talk is None:
            demand(not node.connections, "no link outlives its call", node)
            return
        for did in node.connections:
            member = talk.call.members.get(did)
            demand(member is not None, "only invited peers are connected", node)
            demand(member is not None and member.present, "only who is in the call is connected", node)
        for did, link in talk.links.items():
            demand(link.is_open == (did in node.connections), "the machine knows which connections stand", node)
            demand(
                talk.call.members[did].present == (link.state is not LinkState.ABSENT),
                "who is in the call has a link, who is not has none",
                node,
            )


class Story:
    """The events of one life make sense in their order."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._in_call: CallId | None = None
        self._joined: set[Did] = set()
        self._links: dict[Did, LinkState] = {}
        self._rung: set[CallId] = set()

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
                self._joined.add(event.did)
            case ParticipantLeft():
                demand(event.call_id == self._in_call, "participants leave the current call", node)
                demand(event.did in self._joined, "who leaves was in it", node)
                self._joined.discard(event.did)
            case LinkChanged():
                demand(
                    self._links.get(event.did, LinkState.ABSENT) is not event.link, "a link event is a change", node
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
        names = Counter(node.did for node in members)
        for node in members:
            demand(names[node.did] == 1, "of two sessions of one identity the older one has left", node)
        for node in members:
            _check_member(world, node, members, call_id, ghosts=ghosts)


def _check_member(world: World, node: Node, members: list[Node], call_id: CallId, *, ghosts: bool) -> None:
    view = node.machine.snapshot(world.now).call
    assert view is not None, "it is in this call"
    seen = {participant.did: participant for participant in view.participants}
    for other in members:
        if other is node:
            continue
        talk = other.machine._conversation
        assert talk is not None, "it is in this call"
        shown = seen[other.did]
        where = f"{node.did[-4:]}#{node.index} of {other.did[-4:]}#{other.index}"
        demand(shown.present, f"everyone in the call knows everyone in it: {where}", node)
        demand(shown.instance == talk.instance, f"everyone knows everyone's present life: {where}", node)
        demand(shown.link is LinkState.CONNECTED, f"every pair is connected: {where} is {shown.link.value}", node)
        demand((shown.muted, shown.deafened, shown.recording) == other.flags, f"everyone sees everyone's state: {where}", node)
        connection = node.connections[other.did]
        demand(
            other.connections[node.did].token == connection.remote,
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
        told = all(_phase(other, call_id) not in (Phase.LEAVING, Phase.LEFT) for other in elsewhere)
        demand(told, f"who left and still listens has made it known: {participant.did[-4:]}", node)


def check_over(world: World) -> None:
    """After every session was shut down nothing is left of any call."""
    for node in world.nodes:
        if not node.alive:
            continue
        demand(not node.topics, "no topic is left open", node)
        demand(node.media is None, "no media runs on", node)
        demand(not node.connections, "no connection is left", node)
        left = {type(letter.signal) for letter in node.courier.letters.values()}
        demand(left <= {Cancel}, "nothing is repeated any more but a withdrawal", node)
        demand(node.machine.next_wake() is None, "nothing is due any more", node)


def check_pending(world: World) -> None:
    """Every call that is listed somewhere has somebody in it."""
    running = {node.machine.current for node in world.nodes if node.alive}
    for node in world.nodes:
        if node.alive:
            demand(set(node.machine.pending) <= running, "a call that everybody left is not listed", node)


def _phase(node: Node, call_id: CallId) -> Phase:
    call = node.machine._calls.get(call_id)
    return Phase.UNKNOWN if call is None else call.phase


def _alive(world: World, did: Did) -> Iterable[Node]:
    return [node for node in world.nodes if node.alive and node.did == did]
