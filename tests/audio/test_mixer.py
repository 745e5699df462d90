import numpy as np
import numpy.typing as npt
import pytest

from blink_cli.audio.mixer import Mixer
from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK
from blink_cli.audio.sink_track import SinkTrack
from tests.audio.parts import ConstantStream, PlainStream

pytestmark = pytest.mark.no_clock

Floats = npt.NDArray[np.float64]


def settle(mixer: Mixer, *tracks: SinkTrack) -> Samples:
    mixer.mix(tracks, 0.0)
    return mixer.mix(tracks, 0.01).copy()


def test_one_voice_passes_bit_by_bit() -> None:
    mixer, stream = Mixer(), PlainStream()
    voice = np.random.default_rng(1).uniform(-0.9, 0.9, 480).astype(np.float32)
    stream.blocks.append(voice)
    np.testing.assert_array_equal(mixer.mix([SinkTrack(stream)], 0.0), voice)


def test_voices_are_added_with_their_gains() -> None:
    tracks = [
        SinkTrack(ConstantStream(0.1)),
        SinkTrack(ConstantStream(0.2), gain_db=-6.0206),
        SinkTrack(ConstantStream(-0.3)),
    ]
    np.testing.assert_allclose(settle(Mixer(), *tracks), -0.1, atol=1e-6)


def test_streams_blocks_are_not_modified() -> None:
    stream = ConstantStream(0.9)
    settle(Mixer(), SinkTrack(stream, gain_db=20), SinkTrack(ConstantStream(0.9)))
    np.testing.assert_array_equal(stream.get(0.0), np.float32(0.9))


def test_nothing_to_hear_is_the_silent_block_itself() -> None:
    mixer = Mixer()
    assert mixer.mix([], 0.0) is SILENT_BLOCK
    assert (
        mixer.mix([SinkTrack(PlainStream()), SinkTrack(ConstantStream(0.5), muted=True)], 0.0) is SILENT_BLOCK
    )


def test_many_loud_voices_do_not_clip() -> None:
    out = settle(Mixer(), *(SinkTrack(ConstantStream(0.9)) for _ in range(8)))
    assert np.abs(out).max() <= 1.0


@pytest.mark.parametrize("what", ["mute", "gain", "deafen"])
def test_changes_are_ramped(what: str) -> None:
    mixer, track = Mixer(), SinkTrack(ConstantStream(0.5))
    before = settle(mixer, track)
    match what:
        case "mute":
            track.muted = True
        case "gain":
            track.gain_db = -20.0
        case _:
            mixer.deafened = True
    during = mixer.mix([track], 0.0).copy()
    after = mixer.mix([track], 0.0).copy()
    signal = np.concatenate((before, during, after))
    assert np.abs(np.diff(signal)).max() < 0.5 * 0.004
    np.testing.assert_allclose(after, 0.05 if what == "gain" else 0.0, atol=1e-6)


def test_muted_and_deafened_streams_are_drained() -> None:
    mixer, muted, heard = Mixer(), PlainStream(), PlainStream()
    mixer.deafened = True
    for tick in range(5):
        mixer.mix([SinkTrack(muted, muted=True), SinkTrack(heard)], tick * 0.01)
    assert muted.asked_s == heard.asked_s == [0.0, 0.01, 0.02, 0.03, 0.04]


class SoundStream(PlainStream):
    """Plays a sound from its beginning."""

    def __init__(self, sound: Samples) -> None:
        super().__init__()
        self.blocks.extend(sound.reshape(-1, 480))


def level_over_time_db(sound: Samples, hz: float) -> Floats:
    """How loud a tone is in a sound, every 20 ms."""
    turned = sound * np.exp(-2j * np.pi * hz * np.arange(len(sound)) / 48_000)
    amplitude = 2.0 * np.abs(turned.reshape(-1, 960).mean(axis=1))
    return np.asarray(20.0 * np.log10(amplitude), np.float64)


@pytest.mark.parametrize("gain_db", [0.0, 12.0, 20.0])
def test_a_loud_voice_does_not_make_a_tone_beside_it_pump(gain_db: float) -> None:
    # Bursts of half a second, of a voice that has nothing near the tone.
    at_s = np.arange(4 * 48_000) / 48_000
    bursts = (0.9 * np.sin(2 * np.pi * 200 * at_s) * (at_s % 1.0 < 0.5)).astype(np.float32)
    tone = (0.05 * np.sin(2 * np.pi * 3000 * at_s)).astype(np.float32)
    mixer, loud = Mixer(), SinkTrack(SoundStream(bursts), gain_db=gain_db)
    beside = SinkTrack(SoundStream(tone))
    mix = np.concatenate([mixer.mix([loud, beside], tick / 100).copy() for tick in range(400)])
    levels = level_over_time_db(mix, 3000.0)[10:]
    assert levels.max() - levels.min() < 1.0
    assert np.abs(mix).max() <= 1.0
    loud.publish()
    assert (loud.statistics.limited_blocks > 0) is (gain_db > 0)


def test_a_voice_turned_up_by_a_little_is_as_it_was() -> None:
    voice = np.random.default_rng(1).uniform(-0.4, 0.4, 480).astype(np.float32)
    track = SinkTrack(SoundStream(np.tile(voice, 2)), gain_db=6.0)
    np.testing.assert_array_equal(settle(Mixer(), track), voice * np.float32(10.0**0.3))


def test_a_gain_that_was_too_much_is_taken_back_without_a_step() -> None:
    at_s = np.arange(48_000) / 48_000
    sound = (0.5 * np.sin(2 * np.pi * 200 * at_s)).astype(np.float32)
    mixer, stream = Mixer(), SoundStream(sound)
    track = SinkTrack(stream, gain_db=20.0)
    mix = []
    for tick in range(100):
        if tick == 50:
            track.gain_db = 0.0
        mix.append(mixer.mix([track], tick / 100).copy())
    steepest = 2 * np.pi * 200 / 48_000
    assert np.abs(np.diff(np.concatenate(mix)[4800:])).max() < 1.2 * steepest
    np.testing.assert_array_equal(sound, (0.5 * np.sin(2 * np.pi * 200 * at_s)).astype(np.float32))
