r"""A seeded network of sessions in virtual time: real call machines and real delivery rules, played-out datagrams and links.

    machine --effects--> node --datagrams (lost, doubled, late, partitioned)--> node --signal--> machine
                           \--dialled connections (ICE takes time, or fails) --> node --link_connected, heard, closed

Nothing here reads a clock or the global random state: a seed decides everything, so a failure replays alone.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

from blink_cli.core.api.events import Event
from blink_cli.core.call import inputs
from blink_cli.core.call.effects import (
    Answer,
    ApplyAnswer,
    CallEffect,
    CloseTopics,
    ConfirmOffer,
    DescribeEarly,
    Dial,
    DropKey,
    EnterRoom,
    Hangup,
    HearInRoom,
    LeaveRoom,
    MediaEffect,
    OpenTopics,
    PeerTalks,
    SendToCall,
    SendToPeer,
    StartMedia,
    StopMedia,
    StopSending,
    UseKey,
    UseRoomKeys,
)
from blink_cli.core.call.inputs import CallInput
from blink_cli.core.call.machine import CallMachine
from blink_cli.core.call.room_policy import RoomPolicy
from blink_cli.core.fact import Emit
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.signals import Offer, Redial, RoomAnnounce, SessionDescription, Signal
from blink_cli.core.signaling.topics import key_id_of
from blink_cli.lab.simulation.connections import Connections
from blink_cli.lab.simulation.courier import Courier, Letter
from blink_cli.lab.simulation.node import Node
from blink_cli.lab.simulation.sfus import Sfus
from blink_cli.lab.simulation.trace_lines import name_of, shortened, told_as_text

_GOSSIP = GossipSettings()
_WALL_MS = 1_800_000_000_000
_MEDIA_POLL_S = 0.9
_SOCKET_BUFFER = 400

_DEAF_KNOWN_S = 2.5
"""So long after multicast stopped between two sessions the deaf one's questions (core/presence/presence.py) have had it served by unicast."""

MachineFactory = Callable[[Did, Callable[[int], bytes]], CallMachine]


@dataclass(slots=True)
class Weather:
    """What the network does to datagrams at the moment."""

    loss: float = 0.0
    duplication: float = 0.0
    delay_s: tuple[float, float] = (0.0005, 0.003)


class World:
    """The sessions, the network between them, and the time."""

    def __init__(
        self,
        seed: int,
        dids: list[Did],
        make_machine: MachineFactory = CallMachine,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.now = 1000.0
        self.weather = Weather()
        self.trace = trace
        self.blocked_signals: set[tuple[int, int]] = set()
        self.blocked_media: set[tuple[int, int]] = set()
        self.blocked_multicast: dict[tuple[int, int], float] = {}
        """From whom to whom multicast does not pass, and since when."""
        self.after_step: Callable[[Node], None] = lambda _: None
        self.on_event: Callable[[Node, Event], None] = lambda *_: None
        self.on_effect: Callable[[Node, CallEffect], None] = lambda *_: None
        self.steps = 0
        self._make_machine = make_machine
        self._queue: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._counter = 0
        self.connections = Connections(self)
        self.sfus: Sfus[Node] = Sfus(self)
        self.nodes: list[Node] = []
        for index, did in enumerate(dids):
            self.nodes.append(
                Node(
                    index,
                    did,
                    make_machine(did, self.random.randbytes),
                    Courier(),
                    skew_ms=self.random.randrange(-90_000, 90_000),
                )
            )
        self._by_did: dict[Did, list[Node]] = {}
        for node in self.nodes:
            self._by_did.setdefault(node.did, []).append(node)

    # time

    def at(self, when: float, action: Callable[..., None], *args: Any) -> None:
        """Do this at a virtual time."""
        self._counter += 1
        heappush(self._queue, (when, self._counter, action, args))

    def after(self, delay_s: float, action: Callable[..., None], *args: Any) -> None:
        """Do this in so many virtual seconds."""
        self.at(self.now + delay_s, action, *args)

    def run(self, until: float) -> None:
        """Play everything out until a virtual time."""
        queue = self._queue
        while queue and queue[0][0] <= until:
            when, _, action, args = heappop(queue)
            self.now = max(self.now, when)
            action(*args)
        self.now = until

    def wall_ms(self, node: Node) -> int:
        """This node's wall clock."""
        return _WALL_MS + int(self.now * 1000) + node.skew_ms

    # the processes

    def input(self, node: Node, told: CallInput | None) -> None:
        """Give a machine one input, or the time (None), and carry out what it wants."""
        self.steps += 1
        if self.trace is not None:
            self.trace(f"{self.now - 1000:9.3f}  {name_of(node)}  {told_as_text(told)}")
        machine = node.machine
        effects = machine.handle_timeout(self.now) if told is None else machine.handle(told, self.now)
        for effect in effects:
            self._carry_out(node, effect)
        due = node.machine.next_timeout()
        if due is not None and due < node.wake_at:
            node.wake_at = due
            self.at(max(due, self.now), self._wake, node, node.life)
        self.after_step(node)

    def crash(self, node: Node) -> None:
        """The process is killed: nobody is told anything."""
        self._note(node, "crashes")
        node.alive = False
        node.frozen = False
        node.life += 1
        node.inbox.clear()
        self.connections.crashed(node)
        self.sfus.crashed(node)

    def restart(self, node: Node) -> None:
        """It comes back and knows nothing."""
        self._note(node, "restarts")
        node.machine = self._make_machine(node.did, self.random.randbytes)
        node.courier = Courier()
        node.alive = True
        node.wake_at = node.deliver_at = float("inf")
        node.topics, node.media, node.connections = {}, None, {}
        node.early, node.early_epochs, node.epochs, node.answered, node.heard_epoch = {}, {}, {}, {}, 0
        node.seen = set()
        node.events = []
        node.flags = (False, False, False)
        self.after(_MEDIA_POLL_S, self._poll_media, node, node.life)
        self.let_use(node, node.policy)

    def let_use(self, node: Node, policy: RoomPolicy) -> None:
        """Tell a session which SFUs it may use, in this life and later ones."""
        node.policy = policy
        if policy.enabled:
            self.input(node, inputs.RoomsKnown(policy))

    def freeze(self, node: Node) -> None:
        """SIGSTOP: datagrams wait in its socket buffer."""
        self._note(node, "freezes")
        node.frozen = True

    def thaw(self, node: Node, life: int) -> None:
        """SIGCONT: what came meanwhile and the overdue timers are handled in either order, as event loops do it."""
        if node.life != life or not node.frozen:
            return
        self._note(node, "thaws")
        node.frozen = False
        if self.random.random() < 0.5:
            self._wake(node, life)
        self._hear_media(node)
        while node.inbox and not node.frozen:
            self._receive(node, node.life, *node.inbox.popleft())
        self._wake(node, node.life)

    def begin(self) -> None:
        """Start the media polls of all nodes."""
        for node in self.nodes:
            self.after(self.random.random() * _MEDIA_POLL_S, self._poll_media, node, node.life)

    def set_clock(self, node: Node, by_s: int) -> None:
        """Its wall clock steps; it stays so when it crashes and comes back."""
        self._note(node, f"has its clock set by {by_s} s")
        node.skew_ms = min(max(node.skew_ms + by_s * 1000, -_WALL_MS), _WALL_MS)

    # the network

    def partition(self, groups: list[set[int]], *, signals: bool = True, media: bool = True) -> None:
        """Only nodes in the same group reach each other."""
        for one in self.nodes:
            for other in self.nodes:
                if one is other or any(one.index in group and other.index in group for group in groups):
                    continue
                if signals:
                    self.blocked_signals.add((one.index, other.index))
                if media:
                    self.blocked_media.add((one.index, other.index))

    def heal(self) -> None:
        """Everyone reaches everyone."""
        self.blocked_signals.clear()
        self.blocked_media.clear()
        self.blocked_multicast.clear()

    def deafen(self, deaf: set[int]) -> None:
        """Multicast does not reach these any more; unicast does."""
        for one in self.nodes:
            for other in deaf - {one.index}:
                self.blocked_multicast.setdefault((one.index, other), self.now)

    def _multicast_passes(self, source: Node, target: Node) -> bool:
        """Or the source knows that it does not, and sends straight."""
        since = self.blocked_multicast.get((source.index, target.index))
        return since is None or self.now >= since + _DEAF_KNOWN_S

    def _send(self, source: Node, target: Node, *message: Any) -> None:
        if not target.alive or (source.index, target.index) in self.blocked_signals:
            return
        weather = self.weather
        if weather.loss and self.random.random() < weather.loss:
            return
        self.after(self.random.uniform(*weather.delay_s), self._receive, target, target.life, *message)
        if weather.duplication and self.random.random() < weather.duplication:
            self.after(
                self.random.uniform(*weather.delay_s) * 3, self._receive, target, target.life, *message
            )

    def _receive(self, node: Node, life: int, kind: str, *message: Any) -> None:
        if node.life != life or not node.alive:
            return
        if node.frozen:
            if len(node.inbox) < _SOCKET_BUFFER:
                node.inbox.append((kind, *message))
            return
        if kind == "direct":
            self._receive_direct(node, *message)
        elif kind == "call":
            self._receive_call(node, *message)
        else:
            self._receive_ack(node, *message)

    def _receive_direct(self, node: Node, source: Node, message_id: int, signal: Signal) -> None:
        call_id: CallId | None = None
        if isinstance(signal, SessionDescription | Redial):
            call_id = signal.call_id
            if call_id not in node.topics:
                return
        if message_id not in node.seen:
            node.seen.add(message_id)
            self.input(node, inputs.SignalHeard(source.did, signal, call_id))
        if not isinstance(signal, Offer) or (source.did, signal.call_id) in node.confirmed:
            self._send(node, source, "ack", message_id)

    def _receive_call(self, node: Node, sender: Did, message_id: int, said: SendToCall) -> None:
        if said.key_id not in node.topics.get(said.call_id, {}) or message_id in node.seen:
            return
        node.seen.add(message_id)
        if isinstance(said.signal, RoomAnnounce) and not node.knows_rooms:
            return
        self.input(node, inputs.SignalHeard(sender, said.signal, said.call_id, said.key_id))

    def _receive_ack(self, node: Node, message_id: int) -> None:
        letter = node.courier.acknowledged(message_id)
        if letter is not None:
            self.input(node, inputs.SignalAcknowledged(letter.peer, letter.signal))

    def _wake(self, node: Node, life: int) -> None:
        if node.life != life or not node.alive:
            return
        node.wake_at = float("inf")
        if node.frozen:
            return
        due = node.machine.next_timeout()
        if due is None:
            return
        if due <= self.now:
            self.input(node, None)
            again = node.machine.next_timeout()
            assert again is None or again > self.now, (
                "a machine that was woken must not want it again at once"
            )
        else:
            node.wake_at = due
            self.at(due, self._wake, node, node.life)

    # media

    def media_passes(self, one: Node, other: Node) -> bool:
        """Whether media pass between these two now, both ways."""
        return (
            one.alive
            and other.alive
            and not one.frozen
            and not other.frozen
            and (one.index, other.index) not in self.blocked_media
            and (other.index, one.index) not in self.blocked_media
        )

    def _poll_media(self, node: Node, life: int) -> None:
        if node.life != life or not node.alive:
            return
        self.after(_MEDIA_POLL_S, self._poll_media, node, life)
        if not node.frozen:
            self._hear_media(node)

    def _hear_media(self, node: Node) -> None:
        self.connections.hear(node)
        for peer, epoch in self.sfus.heard(node):
            self.input(node, inputs.Heard(peer, epoch, self.now))

    # effects

    def _carry_out(self, node: Node, effect: CallEffect) -> None:
        if self.trace is not None:
            self.trace(f"{'':9}  {name_of(node)}      -> {shortened(effect)}")
        self.on_effect(node, effect)
        match effect:
            case SendToCall():
                self._publish(node, effect)
            case Emit():
                node.events.append((self.now, effect.event))
                self.on_event(node, effect.event)
            case SendToPeer():
                self._send_direct(node, effect)
            case ConfirmOffer():
                node.confirmed.add((effect.peer, effect.call_id))
            case StopSending():
                node.courier.stop(effect.call_id, effect.peer)
            case OpenTopics() | UseKey() | DropKey() | CloseTopics():
                self._listen(node, effect)
            case _:
                self._let_media(node, effect)

    def _let_media(self, node: Node, effect: MediaEffect) -> None:
        match effect:
            case DescribeEarly():
                self.connections.describe_early(node, effect)
            case Dial():
                self.connections.open(node, effect.peer, effect.epoch, None)
            case Answer():
                self.connections.open(node, effect.peer, effect.epoch, effect.sdp)
            case ApplyAnswer():
                self.connections.apply(node, effect)
            case Hangup():
                ear = node.ears.get(effect.peer)
                if ear is not None and ear.epoch == effect.epoch:
                    del node.ears[effect.peer]
                else:
                    self.connections.hang_up(node, effect)
            case StartMedia():
                assert node.media is None, "media is started once"
                node.media = effect.call_id
            case StopMedia():
                assert node.media == effect.call_id, "the media that is stopped was started"
                node.media = None
            case EnterRoom() | LeaveRoom() | UseRoomKeys() | HearInRoom() | PeerTalks():
                self.sfus.carry_out(node, effect)

    def _listen(self, node: Node, effect: OpenTopics | UseKey | DropKey | CloseTopics) -> None:
        match effect:
            case OpenTopics():
                assert effect.call_id not in node.topics, "topics are opened once"
                node.topics[effect.call_id] = {b"": effect.group_key}
            case UseKey():
                held = node.topics[effect.call_id]
                assert effect.group_key not in held.values(), "a key is taken once"
                held[key_id_of(effect.group_key)] = effect.group_key
            case DropKey():
                del node.topics[effect.call_id][effect.key_id]
            case CloseTopics():
                del node.topics[effect.call_id]
                node.courier.close_topics(effect.call_id)

    def _publish(self, node: Node, effect: SendToCall) -> None:
        self._counter += 1
        for copy in range(effect.copies + 1):
            if copy:
                self.after(
                    copy * _GOSSIP.copy_distance_s,
                    self._publish_copy,
                    node,
                    node.life,
                    self._counter,
                    effect,
                    True,  # noqa: FBT003 - copies go straight
                )
            else:
                self._publish_copy(node, node.life, self._counter, effect, effect.straight)

    def _publish_copy(
        self,
        node: Node,
        life: int,
        message_id: int,
        effect: SendToCall,
        straight: bool,  # noqa: FBT001 - as effects have it
    ) -> None:
        if node.life != life or node.frozen:
            return
        for target in self.nodes:
            if target is node or effect.key_id not in target.topics.get(effect.call_id, {}):
                continue
            if straight or self._multicast_passes(node, target):
                self._send(node, target, "call", node.did, message_id, effect)

    def _send_direct(self, node: Node, effect: SendToPeer) -> None:
        assert effect.peer != node.did, "nobody signals to itself"
        self._counter += 1
        self._transmit(
            node, node.courier.send(self._counter, effect.peer, effect.signal, effect.call_id, self.now)
        )
        self._schedule_delivery(node)

    def _transmit(self, node: Node, letter: Letter) -> None:
        for target in self._by_did.get(letter.peer, ()):
            if letter.attempt == 0 and not self._multicast_passes(node, target):
                continue
            self._send(node, target, "direct", node, letter.number, letter.signal)

    def _schedule_delivery(self, node: Node) -> None:
        due = node.courier.next_due()
        if due is not None and due < node.deliver_at:
            node.deliver_at = due
            self.at(due, self._repeat, node, node.life)

    def _repeat(self, node: Node, life: int) -> None:
        if node.life != life:
            return
        node.deliver_at = float("inf")
        if node.frozen:
            self.after(0.2, self._schedule_delivery, node)
            return
        for letter in node.courier.due(self.now):
            self._transmit(node, letter)
        self._schedule_delivery(node)

    def _note(self, node: Node, what: str) -> None:
        if self.trace is not None:
            self.trace(f"{self.now - 1000:9.3f}  {name_of(node)}  *** {what}")
