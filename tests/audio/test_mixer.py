import numpy as np
import pytest

from blink_cli.audio.mixer import Mixer
from blink_cli.audio.samples import SILENT_BLOCK, Samples
from blink_cli.audio.sink_track import SinkTrack
from tests.audio.parts import ConstantStream, PlainStream


def settle(mixer: Mixer, *tracks: SinkTrack[int]) -> Samples:
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
