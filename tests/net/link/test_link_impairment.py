"""Links that are impaired on purpose, over real loopback sockets: what arrives is what the line said."""

import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator

import pytest

from blink_cli.core.impairment.conditions import Conditions, Outage
from blink_cli.core.impairment.line import Line
from blink_cli.core.media.picture_packets import VIDEO_RTX_PAYLOAD_TYPE, VP8_PAYLOAD_TYPE
from blink_cli.lab.links import NOTHING_AGAIN, End, connect, frame
from blink_cli.net.link_impairment import SENDING_LEAD_S, ImpairedDirection
from blink_cli.net.link_settings import LinkConnected
from blink_cli.runtime.tasks import TaskOwner
from tests.net.gossip_parts import eventually

pytestmark = pytest.mark.in_pairs

FRAMES = 400
BAD = Conditions(
    loss=0.15, burst_packets=2, delay_ms=20, jitter_ms=6, duplication=0.05, reordering=0.04, corruption=0.05
)


@pytest.fixture
async def pair() -> AsyncIterator[tuple[End, End]]:
    async with TaskOwner("test") as tasks:
        a, b = End("a", tasks, NOTHING_AGAIN), End("b", tasks, NOTHING_AGAIN)
        yield a, b
        await a.link.aclose()
        await b.link.aclose()


def direction(conditions: Conditions, seed: str = "7") -> ImpairedDirection:
    return ImpairedDirection(conditions, f"{seed}/{{}}".format, began_at=time.monotonic())


def whole(conditions: Conditions, frames: int, seed: str = "7") -> list[int]:
    """Of so many RTP packets the numbers of those of which a copy arrives whole, as the model says by itself."""
    line = Line(conditions, random.Random(f"{seed}/rtp").random)
    fates = [line.fate(n * 0.02, 100) for n in range(frames)]
    return [n for n, copies in enumerate(fates) if any(copy.wrong_at is None for copy in copies)]


async def speak(a: End, frames: int, *, first: int = 0, every_s: float = 0.002) -> None:
    for index in range(first, first + frames):
        a.send(frame(index))
        await asyncio.sleep(every_s)


def numbers(b: End) -> list[int]:
    return [int.from_bytes(packet.payload[:4]) for packet in b.packets]


async def empty(way: ImpairedDirection) -> None:
    await eventually(lambda: not way.is_busy)


@pytest.mark.parametrize("side", ["out", "in"])
async def test_what_arrives_is_what_the_line_says(pair: tuple[End, End], side: str) -> None:
    a, b = pair
    await connect(a, b)
    way = direction(BAD)
    if side == "out":
        a.impairment.set_outgoing(way)
    else:
        b.impairment.set_incoming(way)
    await speak(a, FRAMES)
    await eventually(lambda: way.rtp.datagrams == FRAMES)
    await empty(way)
    a.impairment.set_outgoing(None)
    b.impairment.set_incoming(None)
    a.send(frame(FRAMES))  # so that losses at the end are seen as such
    await b.until(lambda: FRAMES in numbers(b))

    expected = whole(BAD, FRAMES)
    assert sorted(numbers(b)) == [*expected, FRAMES]
    told, reception = way.rtp, b.link.reception
    assert reception is not None
    assert told.datagrams_lost > 20
    assert told.datagrams + told.datagrams_duplicated == told.datagrams_lost + told.datagrams_delivered
    assert reception.packets_received == len(expected) + 1
    assert reception.packets_lost == FRAMES - len(expected)
    assert told.datagrams_corrupted > 5
    # Of each that came twice whole the second is a duplicate; a wrong bit makes a copy none of ours.
    arrived = told.datagrams_delivered - told.datagrams_corrupted
    assert reception.packets_duplicated == arrived - len(expected)


@pytest.mark.real_time
async def test_what_comes_later_on_purpose_has_arrived_when_it_was_due(pair: tuple[End, End]) -> None:
    a, b = pair
    await connect(a, b)
    way = direction(Conditions(delay_ms=80, jitter_ms=10, keep_order=True))
    b.impairment.set_incoming(way)
    sent_s = []
    for index in range(100):
        sent_s.append(time.monotonic())
        a.send(frame(index))
        await asyncio.sleep(0.004)
        if index == 50:
            time.sleep(0.12)  # noqa: ASYNC251 - the event loop is busy: nobody reads what came, or what is due
    await b.until(lambda: len(b.packets) == 100)

    line = Line(Conditions(delay_ms=80, jitter_ms=10, keep_order=True), random.Random("7/rtp").random)
    late_s = []
    for sent, packet in zip(sent_s, b.packets, strict=True):
        (copy,) = line.fate(sent, 100)
        late_s.append(packet.arrival_s - copy.due_at)
    # What is left is the way through the kernel, whatever the loop was busy with. Kept order passes on the lateness of one.
    assert statistics.median(late_s) < 0.001
    assert max(late_s) < 0.02
    assert min(late_s) > -0.001
    assert 1000 * way.rtp.delay_total_s / 100 == pytest.approx(80, abs=12)


async def test_an_outage_stops_checks_and_reports_too(pair: tuple[End, End]) -> None:
    a, b = pair
    way = direction(Conditions(outages=(Outage(0.0, 0.4),)))
    b.impairment.set_incoming(way)
    began_s = time.monotonic()
    await connect(a, b)  # a link meets it from its first check on
    assert time.monotonic() - began_s > 0.4
    assert way.other.datagrams_lost_in_outages > 0
    assert isinstance(a.link.state, LinkConnected)


async def test_what_is_under_way_comes_out_after_a_change(pair: tuple[End, End]) -> None:
    a, b = pair
    await connect(a, b)
    a.impairment.set_outgoing(direction(Conditions(delay_ms=150)))
    a.send(frame(0))
    a.impairment.set_outgoing(None)
    a.send(frame(1))
    await b.until(lambda: len(b.packets) == 2)
    assert numbers(b) == [1, 0]


async def test_an_ended_link_drops_what_is_under_way(pair: tuple[End, End]) -> None:
    a, b = pair
    await connect(a, b)
    way = direction(Conditions(delay_ms=100))
    a.impairment.set_outgoing(way)
    a.send(frame(0))
    await a.link.aclose()
    a.impairment.close()
    assert way.rtp.datagrams_dropped == 1
    assert not way.is_busy
    assert a.impairment.outgoing is None


async def test_a_limited_rate_is_shared_and_drops_what_does_not_fit(pair: tuple[End, End]) -> None:
    a, b = pair
    await connect(a, b)
    way = direction(Conditions(rate_kbps=100, queue_ms=100))
    a.impairment.set_outgoing(way)
    began_s = time.monotonic()
    for index in range(200):
        a.send(frame(index))
    await empty(way)
    passed_s = time.monotonic() - began_s
    assert way.rtp.datagrams_dropped > 150
    assert way.rtp.datagrams_delivered == 200 - way.rtp.datagrams_dropped
    assert 0.1 < passed_s < 0.3
    await b.until(lambda: len(b.packets) == way.rtp.datagrams_delivered)


@pytest.mark.real_time
async def test_an_asymmetric_way_is_measured_each_direction_by_itself(pair: tuple[End, End]) -> None:
    a, b = pair
    a.impairment.set_outgoing(direction(Conditions(delay_ms=40)))
    b.impairment.set_outgoing(direction(Conditions(delay_ms=5)))
    await connect(a, b)
    a.send(frame(0))
    # A figure is a median of five; they come with the reports.
    await a.until(lambda: len(a.reception_reports) >= 6)
    there, back = (end.link.one_way_delay(time.monotonic()) for end in (a, b))
    assert there.method == back.method == "same_clock"
    for found, incoming_s, outgoing_s in ((there, 0.005, 0.040), (back, 0.040, 0.005)):
        # Both ends share this test's loop, whose timers let a datagram out 1 to 3 ms late: the way is as long as that.
        assert found.incoming_s is not None
        assert found.outgoing_s is not None
        assert incoming_s - 0.0005 <= found.incoming_s <= incoming_s + 0.005
        assert outgoing_s - 0.0005 <= found.outgoing_s <= outgoing_s + 0.005
    assert a.link.rtt_s is None or a.link.rtt_s == pytest.approx(0.045, abs=0.01)


@pytest.mark.real_time
async def test_what_is_sent_late_on_purpose_leaves_as_often_early_as_late(pair: tuple[End, End]) -> None:
    a, b = pair
    await connect(a, b)
    a.impairment.set_outgoing(
        ImpairedDirection(
            Conditions(delay_ms=30), "7/{}".format, began_at=time.monotonic(), lead_s=SENDING_LEAD_S
        )
    )
    sent_s = []
    for index in range(100):
        sent_s.append(time.monotonic())
        a.send(frame(index))
        await asyncio.sleep(0.0043)  # at every place of a timer's step
    await b.until(lambda: len(b.packets) == 100)
    late_s = [packet.arrival_s - sent - 0.03 for sent, packet in zip(sent_s, b.packets, strict=True)]
    assert min(late_s) > -0.001
    assert statistics.median(late_s) < 0.001


@pytest.mark.no_clock
async def test_pictures_shift_no_chance_of_the_voice() -> None:
    """Rate aside, what becomes of the n-th packet of the voice does not depend on how many pictures go beside it."""
    conditions = Conditions(loss=0.2, burst_packets=3)
    alone, among = direction(conditions), direction(conditions)
    out: dict[str, list[bytes]] = {"alone": [], "among": []}

    def rtp(payload_type: int, number: int) -> bytes:
        return bytes((0x80, payload_type)) + number.to_bytes(2, "big") + bytes(60)

    for number in range(300):
        now = time.monotonic()
        voice = rtp(111, number)
        alone.put(voice, now, lambda datagram, _: out["alone"].append(datagram))
        for payload_type in (VP8_PAYLOAD_TYPE, VIDEO_RTX_PAYLOAD_TYPE)[: number % 3]:
            among.put(rtp(payload_type | 0x80, number), now, lambda _, __: None)
        among.put(voice, now, lambda datagram, _: out["among"].append(datagram))
    await eventually(lambda: not alone.is_busy and not among.is_busy)
    assert out["alone"] == out["among"]
    assert among.rtp == alone.rtp
    assert (alone.video.datagrams, among.video.datagrams, among.other.datagrams) == (0, 300, 0)
    assert among.video.datagrams_lost > 20
    assert among.video.datagrams == among.video.datagrams_lost + among.video.datagrams_delivered
