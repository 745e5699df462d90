"""Real sockets: in a flood what is expected passes whole and of the rest a trickle, by the kernel and without it."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from random import Random

import pytest

from blink_cli.core.gossip.datagram import write_datagrams
from blink_cli.core.signaling.topics import Topic
from blink_cli.net.host import socket_filter
from blink_cli.net.signaling.paced_reader import Pace, PacedReader
from blink_cli.net.signaling.topic_filter import (
    CLOSED_S,
    FIRST_SHARE,
    JUDGED_S,
    LOUD_PER_S,
    MOST_TOPICS,
    SMALLEST_SHARE,
    TopicFilter,
    program,
)
from tests.net.gossip_parts import eventually

pytestmark = pytest.mark.real_time

linux = pytest.mark.skipif(sys.platform != "linux", reason="socket filters of this kind are Linux's own")
DRAW = Random(9)
EXPECTED = [Topic(DRAW.randbytes(16)) for _ in range(MOST_TOPICS)]
STRANGE = Topic(DRAW.randbytes(16))

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=["127.0.0.1", "::1"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """The ear, and who sends to it."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with ExitStack() as stack:
        ear, mouth = (stack.enter_context(socket.socket(family, socket.SOCK_DGRAM)) for _ in range(2))
        try:
            ear.bind((request.param, 0))
        except OSError:
            pytest.skip(f"this machine has no {request.param}")
        ear.settimeout(0)
        mouth.connect(ear.getsockname()[:2])
        yield ear, mouth


def said(topic: Topic) -> bytes:
    (datagram,) = write_datagrams(topic, bytes(16), (b"sealed",), ttl=1, attempt=0)
    return datagram


def heard(ear: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(ear.recv(2_000))
        except BlockingIOError:
            return found


@linux
@pytest.mark.parametrize("count", [0, 1, 253, 254, 255, MOST_TOPICS])
def test_the_kernel_keeps_every_expected_topic_and_drops_what_only_looks_like_one(
    pair: Pair, count: int
) -> None:
    ear, mouth = pair
    topics = EXPECTED[:count]
    socket_filter.attach(ear.fileno(), program([topic[:4] for topic in topics], 1 << 30))
    right = [said(topic) for topic in {*topics[:2], *topics[-2:]}]
    strange = [said(STRANGE), b"", b"\xb1", *(bytes([datagram[0] ^ 1]) + datagram[1:] for datagram in right)]
    for datagram in (*strange, *right):
        mouth.send(datagram)
    assert sorted(heard(ear)) == sorted(right)


@linux
def test_of_the_rest_the_kernel_keeps_one_in_so_many(pair: Pair) -> None:
    ear, mouth = pair
    socket_filter.attach(ear.fileno(), program([], FIRST_SHARE))
    kept = 0
    for _ in range(100 * FIRST_SHARE):
        mouth.send(b"garbage")
        kept += len(heard(ear))
    assert 40 < kept < 200, "a hundred are expected, give or take ten"


@pytest.mark.parametrize("by_kernel", [pytest.param(True, marks=linux), False])
def test_a_flood_is_kept_out_until_it_is_over(pair: Pair, by_kernel: bool) -> None:  # noqa: FBT001
    ear, mouth = pair
    topics = tuple(EXPECTED[:1])
    gate = TopicFilter(ear.fileno(), lambda: topics, by_kernel=by_kernel)

    def passing(*datagrams: bytes) -> list[bytes]:
        for datagram in datagrams:
            mouth.send(datagram)
        return [datagram for datagram in heard(ear) if not gate.is_closed or gate.passes(datagram)]

    strange, expected, later = said(STRANGE), said(EXPECTED[0]), said(EXPECTED[1])
    assert passing(strange, expected) == [strange, expected]
    gate.flooded(1.0)
    gate.emptied()
    for number in range(1, 4):
        gate.flooded(1.0 + number * JUDGED_S)  # the trickle alone is too much
    few = passing(*[strange, expected] * 100)
    assert few.count(expected) == 100
    assert few.count(strange) < 5, f"one in {SMALLEST_SHARE}"
    assert passing(later).count(later) == 0
    topics = (*topics, EXPECTED[1])
    gate.look(3.0)
    assert passing(later) == [later], "a call has begun"
    gate.look(2.0 + CLOSED_S)
    assert passing(strange) == []
    gate.look(3.0 + CLOSED_S)
    assert gate.closings == 1
    assert passing(strange, expected) == [strange, expected], "peace is back"


def test_what_came_before_the_kernel_filtered_is_sifted_here(pair: Pair) -> None:
    gate = TopicFilter(pair[0].fileno(), lambda: EXPECTED[:1], by_kernel=socket_filter.is_available())
    gate.flooded(1.0)
    assert sum(gate.passes(said(STRANGE)) for _ in range(10 * FIRST_SHARE)) < 40
    assert gate.passes(said(EXPECTED[0]))


@pytest.mark.parametrize("by_kernel", [pytest.param(True, marks=linux), False])
def test_a_topic_that_is_flooded_itself_does_not_drown_the_others(pair: Pair, by_kernel: bool) -> None:  # noqa: FBT001
    ear, mouth = pair
    gate = TopicFilter(ear.fileno(), lambda: EXPECTED[:2], by_kernel=by_kernel)
    loud, quiet = said(EXPECTED[0]), said(EXPECTED[1])
    gate.flooded(1.0)
    gate.emptied()
    for _ in range(round(JUDGED_S * LOUD_PER_S) + 1):
        assert gate.passes(loud)
    assert gate.passes(quiet)
    gate.flooded(1.0 + JUDGED_S)
    for _ in range(100):
        mouth.send(loud)
    mouth.send(quiet)
    kept = [datagram for datagram in heard(ear) if gate.passes(datagram)]
    assert quiet in kept
    assert kept.count(loud) < 30


def test_a_flood_spread_over_many_topics_does_not_drown_the_others(pair: Pair) -> None:
    gate = TopicFilter(pair[0].fileno(), lambda: EXPECTED, by_kernel=socket_filter.is_available())
    flooded, quiet = EXPECTED[:100], said(EXPECTED[200])
    gate.flooded(1.0)
    gate.emptied()
    rounds = 0
    while any(gate.expects(said(topic)) for topic in flooded[1:]):
        rounds += 1
        assert rounds <= 5
        # A thousand are read between two judgements, of whatever still passes.
        left = [topic for topic in flooded if gate.expects(said(topic))]
        for number in range(1_000):
            assert gate.passes(said(left[number % len(left)]))
        for _ in range(3):
            assert gate.passes(quiet)
        gate.flooded(1.0 + rounds * JUDGED_S)
    assert gate.passes(quiet)
    assert gate.expects(quiet)


def test_where_the_kernel_refuses_this_process_sifts(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, code: bytes) -> None:
        raise OSError

    monkeypatch.setattr(socket_filter, "attach", refuse)
    gate = TopicFilter(pair[0].fileno(), lambda: EXPECTED, by_kernel=True)
    gate.flooded(1.0)
    gate.emptied()
    assert all(gate.passes(said(topic)) for topic in EXPECTED)
    assert sum(gate.passes(said(STRANGE)) for _ in range(10 * FIRST_SHARE)) < 40
    gate.look(1.0 + CLOSED_S)
    assert not gate.is_closed


async def test_a_socket_that_is_flooded_hears_what_it_expects(pair: Pair) -> None:
    ear, mouth = pair
    got: list[bytes] = []
    reader = PacedReader(
        ear,
        lambda datagram, source, arrival_s: got.append(datagram),
        pace=Pace(per_s=200.0, burst=50.0),
        expected_topics=lambda: EXPECTED[:1],
    )
    strange, expected = said(STRANGE), said(EXPECTED[0])
    for _ in range(100):
        mouth.send(strange)
    await eventually(lambda: reader.pauses)
    before = len(got)
    for _ in range(20):
        for _ in range(100):
            mouth.send(strange)
        mouth.send(expected)
        await asyncio.sleep(0)
    await eventually(lambda: got.count(expected) == 20)
    assert len(got) - before < 20 + 2_100 // 8, "a trickle of the rest"
    reader.close()
