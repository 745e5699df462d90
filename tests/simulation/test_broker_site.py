"""A thousand people on one broker in virtual time: it is away for 20 s, and nobody in a call notices; what it carries is counted."""

from collections import Counter
from typing import Any

import pytest
from typing_extensions import override

from blink_cli.core.api.events import CallCancelled, Event, IncomingCall, LinkChanged, ParticipantLeft
from blink_cli.core.call import inputs
from blink_cli.core.call.effects import CloseTopics, DropKey, OpenTopics, SendToCall, UseKey
from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import CallId, Did
from blink_cli.lab.simulation.invariants import Watch, check_settled
from blink_cli.lab.simulation.node import Node
from blink_cli.lab.simulation.world import World

PEOPLE = 1_000
CALLS = 30
OFFERS = 20
AWAY_S = 20.0
BACK_WITHIN_S = 5.0


def dids(count: int) -> list[Did]:
    return [Identity(number.to_bytes(32, "big")).did for number in range(1, count + 1)]


class Broker(World):
    """A network where signals pass one server, which may be away: a message in for what is said to a call, and one out for each who listens."""

    def __init__(self, seed: int, people: list[Did]) -> None:
        super().__init__(seed, people)
        self.weather.delay_s = (0.01, 0.04)
        self.away = False
        self.came: Counter[str] = Counter()
        self.went = 0
        self.listeners: dict[CallId, list[Node]] = {}
        """Who subscribed to the topic of each call."""

    @override
    def _publish_copy(
        self, node: Node, life: int, message_id: int, effect: SendToCall, straight: bool
    ) -> None:
        if node.life != life or node.frozen:
            return
        self.came["to a call"] += not self.away
        for target in self.listeners[effect.call_id]:
            if target is not node and effect.key_id in target.topics[effect.call_id]:
                self._send(node, target, "call", node.did, message_id, effect)

    @override
    def _listen(self, node: Node, effect: OpenTopics | UseKey | DropKey | CloseTopics) -> None:
        super()._listen(node, effect)
        if isinstance(effect, OpenTopics):
            self.listeners.setdefault(effect.call_id, []).append(node)
        elif isinstance(effect, CloseTopics):
            self.listeners[effect.call_id].remove(node)

    @override
    def _send(self, source: Node, target: Node, *message: Any) -> None:
        if self.away:
            return
        self.came["to one"] += message[0] != "call"
        self.went += 1
        super()._send(source, target, *message)

    def offer(self, caller: Node, *others: Node) -> CallId:
        before = set(caller.topics)
        self.input(
            caller,
            inputs.Offering(tuple(other.did for other in others), "caller", self.wall_ms(caller)),
        )
        (call_id,) = caller.topics.keys() - before
        return call_id


class Site:
    """People in calls, and people who are not."""

    def __init__(self, seed: int, people: int = PEOPLE) -> None:
        self.broker = Broker(seed, dids(people))
        Watch(self.broker)
        self.broker.on_event = self.heard
        self.noticed: list[tuple[float, Node, Event]] = []
        self.rang: dict[CallId, list[float]] = {}
        self.answers = True
        self.broker.begin()

    def heard(self, node: Node, event: Event) -> None:
        now = self.broker.now
        match event:
            case IncomingCall():
                self.rang.setdefault(CallId(event.call_id), []).append(now)
                if self.answers:
                    self.broker.after(
                        self.broker.random.uniform(0.1, 1.0), self.accept, node, CallId(event.call_id)
                    )
            case ParticipantLeft() | LinkChanged() | CallCancelled():
                self.noticed.append((now, node, event))

    def begin(self, group: list[Node]) -> None:
        self.broker.offer(*group)

    def accept(self, node: Node, call_id: CallId) -> None:
        self.broker.input(node, inputs.Accepting(call_id, "comer", self.broker.wall_ms(node)))


@pytest.mark.parametrize("seed", [1])
def test_nobody_in_a_call_notices_that_the_broker_is_away(seed: int) -> None:
    site = Site(seed)
    broker = site.broker
    people = iter(broker.random.sample(broker.nodes, PEOPLE))
    for _ in range(CALLS):
        group = [next(people) for _ in range(broker.random.randint(2, 5))]
        broker.after(broker.random.uniform(0, 2), site.begin, group)
    broker.run(broker.now + 10)
    in_calls = sum(node.machine.current is not None for node in broker.nodes)
    assert in_calls > 2 * CALLS
    check_settled(broker, ghosts=False)

    site.noticed.clear()
    site.answers = False
    broker.away = True
    withdrawn = [
        (caller, broker.offer(caller, next(people))) for caller in (next(people) for _ in range(OFFERS))
    ]
    broker.run(broker.now + AWAY_S / 2)
    standing = [broker.offer(next(people), next(people)) for _ in range(OFFERS)]
    for caller, _ in withdrawn:
        broker.input(caller, inputs.Leaving())
    broker.run(broker.now + AWAY_S / 2)
    broker.away = False
    back_at = broker.now
    broker.run(back_at + BACK_WITHIN_S)

    assert site.noticed == [], "a running call never notices"
    check_settled(broker, ghosts=False)
    assert not any(call_id in site.rang for _, call_id in withdrawn), "what was withdrawn rings nowhere"
    for call_id in standing:
        (at_s,) = site.rang[call_id]
        assert at_s - back_at < BACK_WITHIN_S


def per_second(members: int) -> tuple[float, float]:
    """Messages that come to the broker, and go, while a call of so many stands."""
    broker = Site(1, members).broker
    broker.offer(*broker.nodes)
    broker.run(broker.now + 12)
    check_settled(broker, ghosts=False)
    broker.came.clear()
    broker.went = 0
    broker.run(broker.now + 5)
    return broker.came.total() / 5, broker.went / 5


def test_a_call_costs_the_broker_one_message_a_second_of_each_who_is_in_it() -> None:
    for members in (4, 8, 12):
        came, went = per_second(members)
        assert came <= 1.1 * members
        assert went <= 1.1 * members * (members - 1)
