"""What becomes of several channels: the voice as loud as in its own channel, whichever that is."""

from collections.abc import Callable

import numpy as np
import pytest

from blink_cli.audio.channel_mix import ChannelMix
from blink_cli.audio.samples import Samples
from blink_cli.lab.voices import voice

pytestmark = pytest.mark.no_clock

RATE_HZ = 48_000
TONE_DBFS = -23.0


def tone(seconds: float, dbfs: float = TONE_DBFS, hz: float = 440.0) -> Samples:
    at_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.asarray(np.sqrt(2) * 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * at_s), np.float32)


def noise(seconds: float, dbfs: float, seed: int) -> Samples:
    samples = np.random.default_rng(seed).normal(0, 10 ** (dbfs / 20), round(seconds * RATE_HZ))
    return np.asarray(samples, np.float32)


def dbfs(sound: Samples) -> float:
    return float(10 * np.log10((sound.astype(np.float64) ** 2).mean() + 1e-20))


def mixed(channels: list[Samples], step: int = 960, chosen: int | None = None) -> tuple[Samples, ChannelMix]:
    frames = np.stack(channels, axis=1)
    mix = ChannelMix(frames.shape[1], RATE_HZ, chosen)
    return np.concatenate([mix.mix(frames[at : at + step]) for at in range(0, len(frames), step)]), mix


@pytest.mark.parametrize("channels", [2, 6, 8, 32])
@pytest.mark.parametrize("beside_dbfs", [-200.0, -70.0, -60.0])
def test_a_tone_on_one_channel_keeps_its_level_from_its_first_block(
    channels: int, beside_dbfs: float
) -> None:
    for loud in {0, 2, channels - 1} & set(range(channels)):
        sounds = [noise(2.0, beside_dbfs, n) for n in range(channels)]
        sounds[loud] = tone(2.0)
        heard, mix = mixed(sounds)
        levels = [dbfs(heard[at : at + 960]) for at in range(0, len(heard) - 960, 960)]
        assert max(levels) - min(levels) < 0.3, "no pumping"
        assert np.mean(levels) == pytest.approx(TONE_DBFS, abs=0.3)
        assert mix.reading().loudest == loud + 1
        assert not mix.reading().soft


@pytest.mark.parametrize("balance", [(1.0, 1.0), (1.0, 0.5), (0.3, 1.0)])
def test_the_same_sound_in_two_channels_is_as_loud_as_the_louder_one(balance: tuple[float, float]) -> None:
    heard, _ = mixed([tone(1.0) * balance[0], tone(1.0) * balance[1]])
    assert dbfs(heard) == pytest.approx(TONE_DBFS, abs=0.1)


def test_the_same_sound_in_both_channels_is_what_the_mean_gives() -> None:
    said = voice(0, 3.0)
    heard, _ = mixed([said, said])
    assert np.abs(heard - said).max() < 1e-5


def test_a_reversed_channel_takes_nothing_away() -> None:
    said = voice(0, 3.0)
    heard, mix = mixed([said, -said])
    assert np.abs(np.abs(heard) - np.abs(said)).max() < 1e-5
    assert not mix.reading().soft


def test_two_people_with_a_microphone_each_keep_their_level() -> None:
    silence = np.zeros(2 * RATE_HZ, dtype=np.float32)
    turns = [(tone(2.0), silence), (silence, tone(2.0, hz=700.0)), (tone(2.0), silence)]
    heard, _ = mixed([np.concatenate([turn[n] for turn in turns]) for n in (0, 1)])
    for second in range(6):
        assert dbfs(heard[second * RATE_HZ + 4800 : (second + 1) * RATE_HZ]) == pytest.approx(
            TONE_DBFS, abs=0.5
        )


def test_a_voice_that_begins_in_noise_is_there_at_once_and_does_not_click() -> None:
    sounds = [noise(4.0, -65.0, n) for n in range(8)]
    sounds[5][2 * RATE_HZ :] += tone(2.0)
    heard, _ = mixed(sounds)
    assert dbfs(heard[2 * RATE_HZ : 2 * RATE_HZ + 960]) == pytest.approx(TONE_DBFS, abs=1.5)
    assert dbfs(heard[2 * RATE_HZ + 960 :]) == pytest.approx(TONE_DBFS, abs=0.3)
    assert np.abs(np.diff(heard[2 * RATE_HZ + 10 :])).max() < 0.02


def test_a_voice_that_moves_from_one_side_to_the_other_stays_as_loud() -> None:
    pan = np.linspace(0, np.pi / 2, 6 * RATE_HZ).astype(np.float32)
    heard, _ = mixed([tone(6.0) * np.cos(pan), tone(6.0) * np.sin(pan)])
    levels = [dbfs(heard[at : at + 4800]) for at in range(0, len(heard), 4800)]
    assert max(levels) - min(levels) < 3.1
    assert np.abs(np.diff(heard)).max() < 0.01


def test_pauses_change_nothing() -> None:
    said = np.concatenate([tone(0.4), np.zeros(9600, np.float32)] * 10)
    heard, _ = mixed([said, noise(6.0, -60.0, 1)])
    assert np.abs(heard - said).max() < 0.001


@pytest.mark.parametrize("step", [240, 441, 960, 4800])
def test_the_size_of_blocks_does_not_matter(step: int) -> None:
    heard, _ = mixed([np.zeros(RATE_HZ, np.float32), tone(1.0)], step)
    assert len(heard) == RATE_HZ
    assert dbfs(heard) == pytest.approx(TONE_DBFS, abs=0.1)


def test_a_chosen_channel_alone_is_heard_and_a_louder_one_is_told() -> None:
    heard, mix = mixed([tone(1.0), tone(1.0, -40.0, 700.0)], chosen=2)
    assert np.abs(heard - tone(1.0, -40.0, 700.0)).max() < 1e-6
    reading = mix.reading()
    assert reading.soft
    assert (reading.chosen, reading.loudest) == (2, 1)
    assert reading.below_db == pytest.approx(17.0, abs=0.2)


def test_no_numbers_at_all_do_not_stay() -> None:
    broken = tone(1.0)
    broken[960:1920] = np.nan
    heard, _ = mixed([broken, np.zeros(RATE_HZ, np.float32)])
    assert dbfs(heard[4800:]) == pytest.approx(TONE_DBFS, abs=0.1)


def test_nothing_is_beyond_full_scale() -> None:
    heard, _ = mixed([noise(1.0, -3.0, 1), noise(1.0, -3.0, 2)])
    assert np.abs(heard).max() <= 1.0


PEOPLE: dict[str, Callable[[], list[Samples]]] = {
    "wide": lambda: [
        voice(0, 4.0) + 0.5 * voice(1, 4.0),
        0.5 * voice(0, 4.0) + voice(1, 4.0),
    ],
    "apart": lambda: [voice(0, 4.0), voice(1, 4.0)],
}


@pytest.mark.parametrize("people", PEOPLE)
def test_nobody_of_two_is_lost(people: str) -> None:
    channels = PEOPLE[people]()
    heard, mix = mixed(channels)
    for said in (voice(0, 4.0), voice(1, 4.0)):
        share = float(np.dot(heard, said) / np.dot(said, said))
        assert share > 0.5
    assert not mix.reading().soft
