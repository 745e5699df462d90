"""Who talks, told by real timers."""

import asyncio
import time

import pytest

from blink_cli.app.media.own_voice import LAST_WORD_S
from blink_cli.app.media.talkers import Talkers
from blink_cli.core.api.events import (
    Automuted,
    AutomuteEnded,
    Event,
    TalkingStarted,
    TalkingStopped,
    TalkingWhileMuted,
)
from blink_cli.core.ids import Did
from blink_cli.core.media.automute import HOLD_S
from blink_cli.core.media.talking import LOST_S, RELEASE_S, TalkingChange
from blink_cli.runtime.clock import Clock

OWN, BOB = Did("did:key:own"), Did("did:key:bob")


class Bench:
    """Talkers, and what they tell."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.muted: list[bool] = []
        self.talkers = Talkers(OWN, self.events.put_nowait, clock, mute=self.muted.append)

    def packet(self, *, voice: bool) -> float:
        """Let a packet of Bob's come; return when."""
        now_s = time.monotonic()
        change = self.talkers.detector(BOB).update(-30, voice=voice, now_s=now_s)
        if change is not None:
            self.talkers.tell(BOB, change, now_s)
        return now_s

    def voice(self, change: TalkingChange) -> None:
        self.talkers.on_own_voice(change, time.monotonic())

    def told(self) -> list[Event]:
        events = []
        while not self.events.empty():
            events.append(self.events.get_nowait())
        return events

    def kinds(self) -> list[type[Event]]:
        return [type(event) for event in self.told()]


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_a_peer_that_mutes_stops_by_the_clock_and_not_by_a_packet(bench: Bench) -> None:
    bench.packet(voice=False)
    bench.packet(voice=True)
    last_s = bench.packet(voice=True)
    bench.packet(voice=False)
    assert isinstance(await bench.events.get(), TalkingStarted)
    stopped = await bench.events.get()
    assert isinstance(stopped, TalkingStopped)
    assert stopped.at_s is not None
    # A busy machine is late, never early.
    assert stopped.at_s - last_s >= RELEASE_S


async def test_a_peer_of_which_nothing_comes_stops_after_a_second(bench: Bench) -> None:
    bench.packet(voice=False)
    last_s = bench.packet(voice=True)
    assert isinstance(await bench.events.get(), TalkingStarted)
    stopped = await bench.events.get()
    assert isinstance(stopped, TalkingStopped)
    assert stopped.at_s is not None
    assert stopped.at_s - last_s >= LOST_S


async def test_mute_ends_ones_own_talking_and_unmute_begins_it(bench: Bench) -> None:
    bench.voice(TalkingChange.STARTED)
    bench.talkers.set_muted(muted=True)
    assert bench.kinds() == [TalkingStarted, TalkingStopped]
    assert not bench.talkers.is_talking(OWN)
    bench.talkers.set_muted(muted=False)
    assert bench.kinds() == [TalkingStarted]
    bench.voice(TalkingChange.STOPPED)
    assert bench.kinds() == [TalkingStopped]


async def test_who_begins_to_talk_muted_is_told_so(bench: Bench) -> None:
    bench.talkers.set_muted(muted=True)
    bench.voice(TalkingChange.STARTED)
    bench.voice(TalkingChange.STOPPED)
    assert bench.kinds() == [TalkingWhileMuted]


async def test_who_talks_on_after_mute_is_told_so_when_the_last_word_must_be_over(bench: Bench) -> None:
    bench.voice(TalkingChange.STARTED)
    muted_s = time.monotonic()
    bench.talkers.set_muted(muted=True)
    bench.told()
    told = await bench.events.get()
    assert isinstance(told, TalkingWhileMuted)
    assert told.at_s is not None
    assert told.at_s - muted_s >= LAST_WORD_S


async def test_who_ends_the_last_word_is_not(bench: Bench) -> None:
    bench.voice(TalkingChange.STARTED)
    bench.talkers.set_muted(muted=True)
    bench.voice(TalkingChange.STOPPED)
    bench.told()
    await asyncio.sleep(LAST_WORD_S + 0.05)
    assert bench.told() == []


async def test_automute_mutes_while_a_peer_talks_and_tells_nothing_of_what_it_hears(bench: Bench) -> None:
    bench.talkers.automute.set_enabled(enabled=True)
    bench.packet(voice=False)
    bench.packet(voice=True)
    assert bench.muted == [True]
    assert bench.kinds() == [TalkingStarted, Automuted]
    bench.voice(TalkingChange.STARTED)  # the peer, out of the speaker
    assert not bench.talkers.is_talking(OWN)
    bench.voice(TalkingChange.STOPPED)
    bench.packet(voice=False)
    stopped = await bench.events.get()
    assert isinstance(stopped, TalkingStopped)
    assert stopped.did == BOB
    assert isinstance(await bench.events.get(), AutomuteEnded)
    assert stopped.at_s is not None
    assert time.monotonic() - stopped.at_s >= HOLD_S
    assert bench.muted == [True, False]


async def test_the_end_of_a_call_ends_all_of_it(bench: Bench) -> None:
    bench.talkers.automute.set_enabled(enabled=True)
    bench.packet(voice=False)
    bench.packet(voice=True)
    bench.talkers.clear()
    assert bench.kinds() == [TalkingStarted, Automuted, TalkingStopped, AutomuteEnded]
    assert bench.muted == [True, False]
    assert not bench.talkers.is_talking(BOB)
