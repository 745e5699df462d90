"""The runner of calls with media that only write down what they are asked: what any `CallMedia` may count on."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from blink_cli.app.call.call_runner import CallRunner
from blink_cli.app.media.call_media import MediaOwner
from blink_cli.core.api.events import Event
from blink_cli.core.call.inputs import Heard, Reception
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.media_tap import Observer

pytestmark = pytest.mark.no_clock(sockets=True)

OWN, BOB = Did("did:key:z6MkOwn"), Did("did:key:z6MkBob")


class Written:
    """Writes down what it is asked, whatever that is."""

    def __init__(self, asked: list[tuple[Any, ...]]) -> None:
        self._asked = asked

    def __getattr__(self, name: str) -> Any:
        return lambda *given, **named: self._asked.append((name, *given, *named.values()))


class Media:
    """Implements `CallMedia`."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.owner: MediaOwner | None = None
        self.fault: Exception | None = None
        self.links, self.room = Written(self.asked), Written(self.asked)

    def begin(self, call: CallId, owner: MediaOwner) -> None:
        self.asked.append(("begin", call))
        self.owner = owner
        if self.fault is not None:
            raise self.fault

    def end(self) -> None:
        self.asked.append(("end",))

    def set_muted(self, *, muted: bool) -> None:
        self.asked.append(("set_muted", muted))

    def set_deafened(self, *, deafened: bool) -> None:
        self.asked.append(("set_deafened", deafened))


class Post:
    """Sends nothing and remembers the kinds of what it was given."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self.sent.append(name)


class Bench:
    """A runner between its neighbours."""

    def __init__(self) -> None:
        self.media, self.post = Media(), Post()
        self.events: list[Event] = []
        self.heard: list[Did] = []
        self.runner = CallRunner(
            own=OWN,
            nickname="own",
            post=self.post,
            media=self.media,
            publish=self.events.append,
            media_heard=self.heard.append,
        )


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    made.runner.shut_down()


async def test_media_begin_with_a_call_and_end_with_it(bench: Bench) -> None:
    call = bench.runner.offer([BOB])
    begun = [("begin", call), ("expect_few", [BOB])]
    assert bench.media.asked == begun
    assert bench.media.owner is bench.runner
    bench.runner.leave()
    assert bench.media.asked == [*begun, ("end",)]


async def test_who_is_muted_is_heard_by_the_media_before_anybody_is_told(bench: Bench) -> None:
    bench.runner.offer([BOB])
    told = len(bench.events)
    bench.runner.set_muted(muted=True)
    assert bench.media.asked[-1] == ("set_muted", True)
    assert len(bench.events) > told
    assert bench.runner.muted


async def test_media_that_fail_to_begin_do_not_keep_the_offer_from_going_out(bench: Bench) -> None:
    bench.media.fault = OSError("no microphone")
    with pytest.raises(OSError, match="no microphone"):
        bench.runner.offer([BOB])
    assert "send_to_peer" in bench.post.sent
    assert bench.runner.current is not None


async def test_whose_media_arrive_is_passed_on_also_when_the_rules_know_no_such_link(bench: Bench) -> None:
    bench.runner.offer([BOB])
    bench.runner.media_told(Heard(BOB, 7, 1.0))
    bench.runner.media_told(Reception(BOB, 10, 2))
    assert bench.heard == [BOB]
    assert bench.runner.standing == frozenset()


async def test_who_keeps_voices_in_two_ways_is_shown_as_recording_until_both_have_ended(bench: Bench) -> None:
    def shown() -> bool:
        call = bench.runner.snapshot().call
        assert call is not None
        return next(one.recording for one in call.participants if one.did == OWN)

    bench.runner.set_recording(Observer.PLAYOUT_LOG, recording=True)  # a log that waits for a call
    bench.runner.offer([BOB])
    assert shown()
    bench.runner.set_recording(Observer.RECORDING, recording=True)
    bench.runner.set_recording(Observer.PLAYOUT_LOG, recording=False)
    assert shown()
    bench.runner.set_recording(Observer.RECORDING, recording=False)
    assert not shown()
