"""Whom an echo peer answers, for how long, and whom not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from blink_cli.app.call.echo_answering import MOST_WAITING, EchoAnswerer
from blink_cli.app.event_hub import BACKLOG_EVENTS, EventHub
from blink_cli.core.api.events import CallTerminated, EndReason, IncomingCall, LinkChanged, LinkState
from blink_cli.core.api.session_options import EchoOptions
from blink_cli.core.ids import CallId, Did

pytestmark = pytest.mark.no_clock(sockets=True)

OWN = Did("did:echo")


def call(number: int) -> CallId:
    return CallId(f"{number:032d}")


def caller(number: int) -> Did:
    return Did(f"did:caller{number}")


class Peer:
    """An answerer, the calls that ring at it, and what it did with them."""

    def __init__(self, hub: EventHub) -> None:
        self.hub = hub
        self.ringing: list[CallId] = []
        self.current: CallId | None = None
        self.accepted: list[CallId] = []
        self.rejected: list[CallId] = []
        self.left: list[CallId] = []
        self.ended = asyncio.Event()

    def accept(self, which: CallId) -> None:
        assert self.current is None
        self.ringing.remove(which)
        self.accepted.append(which)
        self.current = which

    def reject(self, which: CallId) -> None:
        self.ringing.remove(which)
        self.rejected.append(which)

    def leave(self) -> None:
        assert self.current is not None
        self.left.append(self.current)
        self.end()

    def end(self) -> None:
        assert self.current is not None
        over, self.current = self.current, None
        self.hub.publish(CallTerminated(call_id=over, reason=EndReason.LEFT))

    async def ring(self, number: int, who: int, *others: Did) -> None:
        self.ringing.append(call(number))
        people = (caller(who), OWN, *others)
        self.hub.publish(
            IncomingCall(call_id=call(number), caller=caller(who), nickname="x", participants=people)
        )
        await settled()

    async def connect(self, link: LinkState = LinkState.CONNECTED) -> None:
        assert self.current is not None
        self.hub.publish(LinkChanged(call_id=self.current, did=caller(1), link=link))
        await settled()


async def settled() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


@asynccontextmanager
async def answering(options: EchoOptions | None = None) -> AsyncIterator[Peer]:
    hub = EventHub()
    peer = Peer(hub)
    runner: Any = peer
    answerer = EchoAnswerer(options or EchoOptions(), OWN, runner, hub, peer.ended.set)
    running = asyncio.get_running_loop().create_task(answerer.run())
    await settled()
    try:
        yield peer
    finally:
        hub.close()
        with suppress(asyncio.CancelledError):
            await running


async def test_everybody_is_answered_one_after_the_other() -> None:
    async with answering() as peer:
        await peer.ring(1, 1)
        await peer.ring(2, 2)
        assert peer.accepted == [call(1)]
        peer.end()
        await settled()
        assert peer.accepted == [call(1), call(2)]


async def test_who_was_answered_lately_comes_after_those_who_were_not() -> None:
    async with answering() as peer:
        await peer.ring(1, 1)
        await peer.ring(2, 1)
        await peer.ring(3, 2)
        peer.end()
        await settled()
        assert peer.accepted == [call(1), call(3)]


async def test_a_call_of_more_than_two_is_declined() -> None:
    async with answering() as peer:
        await peer.ring(1, 1, caller(7))
        assert (peer.accepted, peer.rejected) == ([], [call(1)])


async def test_too_many_who_wait_are_declined() -> None:
    async with answering() as peer:
        for number in range(1, MOST_WAITING + 4):
            await peer.ring(number, number)
        assert len(peer.rejected) == 2
        assert len(peer.ringing) == MOST_WAITING


async def test_those_who_withdrew_hold_no_place() -> None:
    async with answering() as peer:
        for number in range(1, MOST_WAITING + 2):
            await peer.ring(number, number)
        peer.ringing.clear()
        await peer.ring(100, 100)
        assert (peer.rejected, peer.ringing) == ([], [call(100)])
        peer.end()
        await settled()
        assert peer.accepted == [call(1), call(100)]


async def test_who_calls_again_and_again_takes_one_place() -> None:
    async with answering() as peer:
        await peer.ring(1, 1)
        for number in range(2, 2 + 3 * MOST_WAITING):
            await peer.ring(number, 2)
        await peer.ring(100, 3)
        assert peer.ringing == [call(1 + 3 * MOST_WAITING), call(100)]
        assert len(peer.rejected) == 3 * MOST_WAITING - 1


async def test_a_call_that_only_rang_ends_no_session_that_is_to_answer_one() -> None:
    async with answering(EchoOptions(calls=1)) as peer:
        await peer.ring(1, 1)
        peer.hub.publish(CallTerminated(call_id=call(2), reason=EndReason.LEFT))
        await settled()
        assert not peer.ended.is_set()
        peer.end()
        await asyncio.wait_for(peer.ended.wait(), 10)


async def test_a_flood_of_events_costs_no_call() -> None:
    async with answering() as peer:
        await peer.ring(1, 1)
        await peer.ring(2, 2)
        over, peer.current = peer.current, None
        assert over is not None
        peer.hub.publish(CallTerminated(call_id=over, reason=EndReason.LEFT))
        for _ in range(BACKLOG_EVENTS):  # which push it out
            peer.hub.publish(LinkChanged(call_id=over, did=caller(9), link=LinkState.CONNECTING))
        await settled()
        assert peer.accepted == [call(1), call(2)]


async def test_a_call_that_was_withdrawn_while_it_waited_is_not_answered() -> None:
    async with answering() as peer:
        await peer.ring(1, 1)
        await peer.ring(2, 2)
        peer.ringing.clear()
        peer.end()
        await settled()
        assert peer.accepted == [call(1)]


async def test_a_call_is_left_in_time_whatever_is_connected_again(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = _Moments(monkeypatch)
    async with answering(EchoOptions(longest_s=60.0)) as peer:
        await peer.ring(1, 1)
        assert moments.due_in_s() == pytest.approx(10.0, abs=0.5), "no audio has come"
        await peer.connect()
        assert moments.due_in_s() == pytest.approx(60.0, abs=0.5)
        moments.pass_s(50.0)
        await peer.connect()
        assert moments.due_in_s() == pytest.approx(10.0, abs=0.5)


async def test_a_caller_who_is_gone_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = _Moments(monkeypatch)
    async with answering(EchoOptions(longest_s=60.0)) as peer:
        await peer.ring(1, 1)
        await peer.connect()
        moments.pass_s(20.0)
        await peer.connect(LinkState.LOST)
        assert moments.due_in_s() == pytest.approx(10.0, abs=0.5)
        moments.pass_s(5.0)
        await peer.connect(LinkState.CONNECTING)
        assert moments.due_in_s() == pytest.approx(5.0, abs=0.5), "trying again gives no more time"
        await peer.connect()
        assert moments.due_in_s() == pytest.approx(35.0, abs=0.5), "but being there again does"
        moments.pass_s(30.0)
        await peer.connect(LinkState.LOST)
        assert moments.due_in_s() == pytest.approx(5.0, abs=0.5), "never more than the longest"


async def test_it_leaves_and_ends_after_its_calls() -> None:
    async with answering(EchoOptions(longest_s=0.02, calls=1)) as peer:
        await peer.ring(1, 1)
        await peer.connect()
        await asyncio.wait_for(peer.ended.wait(), 10)
        assert peer.left == [call(1)]


async def test_it_ends_when_nobody_calls() -> None:
    async with answering(EchoOptions(idle_s=0.02)) as peer:
        await asyncio.wait_for(peer.ended.wait(), 10)
        assert peer.accepted == []


class _Moments:
    """Time of the loop that may be moved on, and what the answerer waits for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._loop = asyncio.get_running_loop()
        self._ahead_s = 0.0
        self._due: list[float | None] = []
        real_time, real_timeout_at = self._loop.time, asyncio.timeout_at

        def timeout_at(when: float | None) -> Any:
            self._due.append(when)
            return real_timeout_at(None)

        monkeypatch.setattr(self._loop, "time", lambda: real_time() + self._ahead_s)
        monkeypatch.setattr(asyncio, "timeout_at", timeout_at)

    def pass_s(self, seconds: float) -> None:
        self._ahead_s += seconds

    def due_in_s(self) -> float:
        due = self._due[-1]
        assert due is not None
        return due - self._loop.time()
