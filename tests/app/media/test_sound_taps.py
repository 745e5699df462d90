"""Taps: each gets the points that it asked for, copied, in order; a slow reader loses the oldest and holds up nobody."""

import asyncio

import numpy as np
import pytest

from blink_cli.app.media.sound_taps import MOST_FRAMES, SoundTaps
from blink_cli.audio.processing.block import CapturedBlock
from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK
from blink_cli.core.ids import Did

pytestmark = pytest.mark.no_clock

BOB, CAROL = Did("did:key:bob"), Did("did:key:carol")


def block(value: float) -> Samples:
    return np.full(480, value, np.float32)


async def test_each_gets_what_it_asked_for() -> None:
    taps = SoundTaps()
    peers, mix, captured = taps.add(["peers"]), taps.add(["mix"]), taps.add(["captured"])
    assert (taps.wants_sound, taps.wants_captured) == (True, True)
    taps.played(1.0, [(BOB, block(0.1)), (CAROL, block(0.2))], block(0.3))
    taps.captured(CapturedBlock(block(0.4), block(0.5), SILENT_BLOCK, 2.0))
    taps.close()
    told = [(f.peer, round(float(f.samples[0]), 3), f.at_s) async for f in peers]
    assert told == [(BOB, 0.1, 1.0), (CAROL, 0.2, 1.0)]
    assert [(f.peer, round(float(f.samples[0]), 3), f.at_s) async for f in mix] == [(None, 0.3, 1.0)]
    own = [(f.point, round(float(f.samples[0]), 3), f.at_s) async for f in captured]
    assert own == [("captured", 0.4, 2.0)]
    assert (taps.wants_sound, taps.wants_captured) == (False, False)


async def test_a_slow_reader_loses_the_oldest() -> None:
    taps = SoundTaps()
    tap = taps.add(["mix"])
    for number in range(MOST_FRAMES + 3):
        taps.played(float(number), [], SILENT_BLOCK)
    assert (await anext(tap)).at_s == 3.0
    assert tap.lost_frames == 3


async def test_a_frame_is_its_reader_s_own_and_wakes_it() -> None:
    taps = SoundTaps()
    async with taps.add(["mix"]) as tap, asyncio.TaskGroup() as group:
        reading = group.create_task(anext(tap))
        await asyncio.sleep(0)
        voice = block(0.5)
        await asyncio.to_thread(taps.played, 1.0, [], voice)
        voice[:] = 0.0
        frame = await reading
        frame.samples[0] = 1.0
    assert float(frame.samples[1]) == 0.5
    assert await anext(tap, None) is None
    taps.played(2.0, [], voice)


async def test_coming_and_going_is_told() -> None:
    told: list[bool] = []
    taps = SoundTaps(lambda: told.append(taps.wants_captured))
    tap = taps.add(["captured"])
    tap.close()
    tap.close()
    assert told == [True, False, False]
