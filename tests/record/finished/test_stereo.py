"""A participant who sends two channels keeps both: in the MP4, its repaired copy, and the files made of it."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from blink_cli.audio.opus.adjustable_encoder import AdjustableEncoder
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.record.finished.export import export
from blink_cli.record.mp4.file import Mp4Labels, Mp4Reader, Mp4Writer

pytestmark = pytest.mark.no_clock

ONE = CodecSettings(bitrate_bps=96_000)
TWO = CodecSettings(bitrate_bps=96_000, stereo=True)
LENGTH_S = 4


def tone(hz: float, gain: float = 0.2) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    at = np.arange(LENGTH_S * 48_000)
    return np.asarray(gain * np.sin(2 * np.pi * hz * at / 48_000), np.float32)


def packets(channels: str) -> list[bytes]:
    """Four seconds of 300 Hz on the left and 700 Hz on the right: `two`; `one`: of 300 Hz; `later`: two from the middle on."""
    both = np.stack((tone(300), tone(700)), axis=1)
    encoder = AdjustableEncoder(TWO if channels == "two" else ONE)
    made = []
    for at in range(0, len(both), 960):
        if channels == "later" and at == LENGTH_S * 24_000:
            encoder.adjust(TWO)
        frame = both[at : at + 960]
        made.append(encoder.encode(np.ascontiguousarray(frame if encoder.channels == 2 else frame[:, 0])))
    return made


def recording(path: Path, *tracks: str) -> Path:
    labels = Mp4Labels(tuple(f"{name} (did:key:z6Mk{name})" for name in tracks), "", "call c0ffee00", "")
    writer = Mp4Writer(path, labels)
    made = [packets(track) for track in tracks]
    for number in range(LENGTH_S * 50):
        for track, of_track in enumerate(made):
            writer.write(track, of_track[number], number * 960, 960)
    writer.close()
    return path


def loud_at(sound: np.ndarray[tuple[int], np.dtype[np.float64]], hz: float) -> float:
    """Amplitude of a frequency in the last second."""
    second = sound[-48_000:]
    return float(2 * np.abs(np.dot(second, np.exp(-2j * np.pi * hz * np.arange(48_000) / 48_000))) / 48_000)


def test_each_track_has_as_many_channels_as_came(tmp_path: Path) -> None:
    path = recording(tmp_path / "call.mp4", "one", "two", "later")
    with av.open(str(path)) as opened:
        assert [stream.channels for stream in opened.streams.audio] == [1, 2, 2]
    reader = Mp4Reader(path)
    assert reader.channels == (1, 2, 2)
    reader.close()

    made = export(path, ("wav", "opus", "mix"), tmp_path / "out", lambda _: None, "token")
    sounds = {file.path.name: soundfile.read(file.path, always_2d=True)[0] for file in made}
    shapes = {name: sound.shape[1] for name, sound in sounds.items()}
    assert shapes == {
        "call-1-one.wav": 1, "call-2-two.wav": 2, "call-3-later.wav": 2,
        "call-1-one.opus": 1, "call-2-two.opus": 2, "call-3-later.opus": 2,
        "call-mix.flac": 2,
    }  # fmt: skip
    for name in ("call-2-two.wav", "call-3-later.wav", "call-2-two.opus", "call-3-later.opus"):
        left, right = sounds[name].T
        assert loud_at(left, 300) == pytest.approx(0.2, rel=0.1), name
        assert loud_at(right, 700) == pytest.approx(0.2, rel=0.1), name
        assert max(loud_at(left, 700), loud_at(right, 300)) < 0.02, name
    mixed = sounds["call-mix.flac"].T
    assert loud_at(mixed[0], 300) == pytest.approx(0.6, rel=0.1)
    assert loud_at(mixed[1], 300) == pytest.approx(0.2, rel=0.1)
    first = sounds["call-3-later.wav"][: 48_000 * LENGTH_S // 2 - 4_800]
    np.testing.assert_allclose(first[:, 0], first[:, 1], atol=1e-3)


def test_a_recording_of_one_channel_each_is_as_it_was(tmp_path: Path) -> None:
    path = recording(tmp_path / "call.mp4", "one", "one")
    made = export(path, ("wav", "mix"), tmp_path / "out", lambda _: None, "token")
    assert {soundfile.info(file.path).channels for file in made} == {1}
