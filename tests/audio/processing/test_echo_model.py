"""How loud the echo should be: learnt from sound, bounded, and another one where the delay jumped."""

import numpy as np
import pytest

from blink_cli.audio.processing.bands import BANDS, VOICE
from blink_cli.audio.processing.echo_model import LOUDEST, EchoModel
from blink_cli.audio.processing.near_voice import HOLD_TICKS, NearVoice
from blink_cli.audio.samples import Samples

pytestmark = pytest.mark.no_clock

DELAY_TICKS = 12
NOISE = 1e-9


def spoken(ticks: int, seed: int = 1) -> Samples:
    """Return powers as a voice has them, shape (ticks, BANDS): syllables of 0.15 s, each with bands of its own, and pauses."""
    random = np.random.default_rng(seed)
    syllables = (
        10.0 ** random.uniform(-6.0, -3.0, (ticks // 15 + 1, BANDS))
        * (random.random(ticks // 15 + 1) < 0.7)[:, None]
    )
    scatter = random.gamma(4.0, 0.25, (ticks, BANDS))
    return np.asarray(np.repeat(syllables, 15, axis=0)[:ticks] * scatter, np.float32)


def room(played: Samples, delay_ticks: int = DELAY_TICKS, rt60_s: float = 0.4) -> Samples:
    """Return the powers of its echo."""
    decay = 0.1 * 10.0 ** (-6.0 * np.arange(80) / (100.0 * rt60_s))
    echo = np.stack([np.convolve(band, decay)[: len(played)] for band in played.T], axis=1)
    late = np.concatenate((np.zeros((delay_ticks, BANDS)), echo[:-delay_ticks]))
    return np.asarray(late + NOISE, np.float32)


def learn(model: EchoModel, played: Samples, heard: Samples) -> Samples:
    """Return by how many dB each tick was expected too loud, on the mean of a voice's bands."""
    off_db = []
    for tick_played, tick_heard in zip(played, heard, strict=True):
        model.take(tick_played, tick_heard)
        if not model.audible or model.delay_ticks is None:
            off_db.append(0.0)
            continue
        early, tail = model.expected()
        off_db.append(float(10.0 * np.log10((early + tail + NOISE) / tick_heard)[VOICE].mean()))
        model.learn(tick_heard, 0.01)
    return np.array(off_db, np.float32)


def test_a_room_is_known_within_a_second_and_a_half_to_three_decibels() -> None:
    model = EchoModel()
    model.use_delay(DELAY_TICKS)
    played = spoken(900)
    off_db = learn(model, played, room(played))
    assert np.abs(np.mean(off_db[150:])) < 2.0
    assert np.percentile(np.abs(off_db[150:]), 90) < 3.0


def test_no_weight_grows_without_bound_where_little_is_played_and_much_is_heard() -> None:
    model = EchoModel()
    model.use_delay(DELAY_TICKS)
    played = np.full((600, BANDS), 1e-7, np.float32)
    learn(model, played, np.full((600, BANDS), 1e-2, np.float32))
    early, tail = model.expected()
    assert float(model._weights.max()) <= LOUDEST
    # What is expected is bounded with them: by four early weights and the four decays of a long sound.
    assert float((early + tail).max()) <= 8.1 * LOUDEST * 1e-7


@pytest.mark.parametrize("jump_ticks", [-4, 2, 8])
def test_a_delay_that_jumped_is_found_in_what_was_heard(jump_ticks: int) -> None:
    model = EchoModel()
    model.use_delay(DELAY_TICKS)
    played = spoken(700)
    learn(model, played[:600], room(played)[:600])
    assert model.other_delay() is None
    moved = room(played, DELAY_TICKS + jump_ticks)
    for tick in range(600, 660):
        model.take(played[tick], moved[tick])
    assert model.other_delay() == DELAY_TICKS + jump_ticks


def test_a_voice_in_the_room_is_no_other_delay() -> None:
    model = EchoModel()
    model.use_delay(DELAY_TICKS)
    played, near = spoken(900), spoken(900, seed=2) * np.float32(0.1)
    learn(model, played[:600], room(played)[:600])
    heard = room(played) + near
    found = []
    for tick in range(600, 900):
        model.take(played[tick], heard[tick])
        found.append(model.other_delay())
    assert set(found) == {None}


def test_a_voice_softer_than_the_echo_is_noticed_and_echo_alone_is_not() -> None:
    model, voice = EchoModel(), NearVoice()
    model.use_delay(DELAY_TICKS)
    played, near = spoken(1200), spoken(1200, seed=2) * np.float32(0.05)
    echo = room(played)
    near[:600] = 0.0
    talks = []
    for tick in range(1200):
        heard = echo[tick] + near[tick]
        model.take(played[tick], heard)
        model.expected()
        talks.append(
            voice.take(model.excess_db(heard), model.ticks, heard, heard * np.float32(0.1))
            if model.audible
            else False
        )
        if tick < 600:
            model.learn(heard, 0.01)
    speaks = near[600:, VOICE].sum(axis=1) > 0.0
    assert np.mean(talks[200:600]) < 0.02
    assert np.mean(np.array(talks[600:])[speaks]) > 0.65


def test_a_canceller_that_leaves_nothing_proves_that_nobody_is_near() -> None:
    voice = NearVoice()
    loud = np.full(BANDS, 1e-3, np.float32)
    for _ in range(20):
        assert not voice.take(10.0, 500, loud, loud * np.float32(1e-4))
    for _ in range(6):
        voice.take(10.0, 500, loud, loud * np.float32(0.1))
    assert voice.talks
    for _ in range(HOLD_TICKS + 20):
        voice.take(0.0, 500, loud, loud * np.float32(0.1))
    assert not voice.talks
