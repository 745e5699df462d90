"""The devices of an echo peer, in virtual time."""

import mmap

import numpy as np
import pytest

from blink_cli.audio.devices.echo_beeps import BEEP_SAMPLES, LISTENING, SPEAKING, find
from blink_cli.audio.devices.echo_loop import LEAD_SAMPLES, LIVE_LAG_S, HeardSound
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.samples import Samples
from tests.audio.device_test.parts import words

pytestmark = pytest.mark.no_clock

RATE = 48_000


def said(name: str, heard: Samples, seconds: float, *, ear_first_s: float = 0.123) -> Samples:
    """What an echo peer says that hears this; its ear opens so much earlier than its mouth."""
    opener = DeviceOpener()
    ear, mouth = opener.open_output("echo"), opener.open_input(name)
    ear.start(1000.0 - ear_first_s)
    mouth.start(1000.0)
    spoken: list[Samples] = []
    written = 0
    for tick in range(round((seconds + 1) * 100)):
        now_s = 1000.0 + (tick + 1) / 100
        while ear.ready_s(now_s) <= now_s:
            block = heard[written : written + 480]
            ear.write(np.resize(np.concatenate((block, np.zeros(480, np.float32))), 480)[:, np.newaxis])
            written += 480
        spoken.append(mouth.read(480)[:, 0])
    ear.stop()
    mouth.stop()
    whole = np.concatenate(spoken)
    assert not whole[:LEAD_SAMPLES].any()
    return whole[LEAD_SAMPLES:]


def test_in_turns_it_beeps_listens_beeps_and_says_what_it_heard_while_it_listened() -> None:
    heard = words(13.0)
    spoken = said("echo:2", heard, 9.0, ear_first_s=0.123)
    assert np.array_equal(spoken[:BEEP_SAMPLES], LISTENING)
    half = BEEP_SAMPLES + 2 * RATE
    assert not spoken[BEEP_SAMPLES:half].any()
    assert np.array_equal(spoken[half : half + BEEP_SAMPLES], SPEAKING)
    listened_from = round(1.123 * RATE) + BEEP_SAMPLES
    assert np.array_equal(
        spoken[half + BEEP_SAMPLES : 2 * half], heard[listened_from : listened_from + 2 * RATE]
    )
    again = 2 * half
    assert np.array_equal(spoken[again : again + BEEP_SAMPLES], LISTENING)
    assert np.array_equal(
        spoken[again + half + BEEP_SAMPLES :][:1000],
        heard[listened_from + again : listened_from + again + 1000],
    )


def test_at_once_everything_comes_back_after_one_beep() -> None:
    heard = words(7.0)
    spoken = said("echo:live", heard, 5.0, ear_first_s=0.3)
    assert np.array_equal(spoken[:BEEP_SAMPLES], LISTENING)
    first = round((1.3 - LIVE_LAG_S) * RATE)
    assert np.array_equal(spoken[BEEP_SAMPLES:], heard[first + BEEP_SAMPLES : first + len(spoken)])


def test_two_sessions_have_nothing_to_do_with_each_other() -> None:
    assert not said("echo:live", np.zeros(RATE, np.float32), 2.0)[BEEP_SAMPLES:].any()


def test_what_was_heard_long_ago_is_silence() -> None:
    sound = HeardSound(seconds=3.0)
    sound.begin(10.0)
    for _ in range(500):
        sound.write(np.ones(480, np.float32))
    assert sound.between(14.0, 480).all()
    assert not sound.between(11.0, 480).any(), "written over"
    assert not sound.between(9.0, 480).any(), "before"
    assert not sound.between(15.5, 480).any(), "not heard yet"


def test_the_sound_of_a_call_is_given_back_to_the_system_with_the_next_one() -> None:
    """On the heap such pieces stay: an echo peer grew by 5 MB a call."""
    sound = HeardSound()
    sound.begin(0.0)
    sound.write(np.ones(480, np.float32))
    assert sound.between(0.0, 480).all()
    owner: object = sound._samples.base
    assert isinstance(owner, memoryview)
    assert isinstance(owner.obj, mmap.mmap)
    sound.begin(1.0)
    assert not sound.between(1.0, 480).any()


def test_beeps_are_found_where_they_are_and_told_from_each_other() -> None:
    heard = words(6.0, loud=0.05)
    for at, beep in ((10_000, LISTENING), (100_007, SPEAKING), (200_000, LISTENING)):
        heard[at : at + BEEP_SAMPLES] = 0.5 * beep + 0.01 * heard[at : at + BEEP_SAMPLES]
    assert find(LISTENING, heard) == [10_000, 200_000]
    assert find(SPEAKING, heard) == [100_007]
    heard[100_007 + 2_000 : 100_007 + 2_960] = 0.0  # a frame was lost
    assert find(SPEAKING, heard) == [100_007]
    assert find(SPEAKING, np.zeros(100, np.float32)) == []
    assert find(SPEAKING, np.zeros(RATE, np.float32)) == []
