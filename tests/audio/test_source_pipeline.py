import itertools
from collections.abc import Callable

import numpy as np
import pytest
from typing_extensions import override

from blink_cli.audio.samples import Samples
from blink_cli.audio.source_pipeline import SourcePipeline
from blink_cli.audio.voice_activity.loudness import LoudnessDetector
from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.core.media.talking import TalkingChange
from tests.audio.parts import PlainEncoder, sound_of

pytestmark = pytest.mark.no_clock

FIRST = 0xFFFFFFFF - 1000


def pipeline(
    frames: list[EncodedFrame], encoder: PlainEncoder | None = None, **more: object
) -> SourcePipeline[PlainEncoder]:
    return SourcePipeline(
        encoder or PlainEncoder(),
        frames.append,
        first_timestamp=FIRST,
        detector=LoudnessDetector(),
        **more,  # type: ignore[arg-type]
    )


def voice(block: int) -> Samples:
    at = np.arange(block * 480, block * 480 + 480)
    return (0.3 * np.sin(2 * np.pi * 200 * at / 48_000)).astype(np.float32)


def feed(source: SourcePipeline[PlainEncoder], blocks: range, make: Callable[[int], Samples] = voice) -> None:
    for block in blocks:
        source.process(make(block), block * 0.01)


@pytest.mark.parametrize("frame_samples", [120, 240, 480, 960, 1920, 2880])
def test_blocks_become_frames_with_running_timestamps(frame_samples: int) -> None:
    frames: list[EncodedFrame] = []
    feed(pipeline(frames, PlainEncoder(frame_samples)), range(60))
    assert len(frames) == 60 * 480 // frame_samples
    assert [f.timestamp for f in frames] == [(FIRST + n * frame_samples) % 2**32 for n in range(len(frames))]
    assert {f.duration_samples for f in frames} == {frame_samples}
    np.testing.assert_array_equal(
        np.concatenate([sound_of(f) for f in frames]), np.concatenate([voice(n) for n in range(60)])
    )
    assert [f.talk_spurt_start for f in frames] == [True] + [False] * (len(frames) - 1)
    if frame_samples >= 480:
        assert {f.audio_level_dbov for f in frames} == {-13}


@pytest.mark.parametrize("frame_samples", [120, 240])
def test_frames_shorter_than_a_tick_come_from_blocks_as_short_as_well_as_from_ticks(
    frame_samples: int,
) -> None:
    sound = np.concatenate([voice(n) for n in range(20)])
    of_ticks: list[EncodedFrame] = []
    feed(pipeline(of_ticks, PlainEncoder(frame_samples)), range(20))
    of_blocks: list[EncodedFrame] = []
    source = pipeline(of_blocks, PlainEncoder(frame_samples))
    assert source.missing_samples == frame_samples
    for end in range(frame_samples, len(sound) + 1, frame_samples):
        source.process(sound[end - frame_samples : end], -0.01 + end / 48_000)
    assert [f.payload for f in of_ticks] == [f.payload for f in of_blocks]
    assert [f.captured_at for f in of_ticks] == pytest.approx([f.captured_at for f in of_blocks])
    assert [f.voice for f in of_ticks] == [f.voice for f in of_blocks]
    assert of_blocks[-1].voice


def test_mute_fades_over_several_short_frames_both_ways_and_from_the_middle() -> None:
    frames: list[EncodedFrame] = []
    source = pipeline(frames, PlainEncoder(120))

    def play(ms_times_4: range) -> None:
        for at in ms_times_4:
            start = at * 120
            sound = 0.3 * np.sin(2 * np.pi * 200 * np.arange(start, start + 120) / 48_000)
            source.process(sound.astype(np.float32), at * 0.0025)

    play(range(40))
    source.muted = True
    play(range(40, 42))
    source.muted = False
    play(range(42, 60))
    source.muted = True
    play(range(60, 80))
    heard = np.concatenate([sound_of(f) for f in frames])
    assert np.abs(np.diff(heard)).max() < 0.02, "a click"
    faded = [np.abs(sound_of(f)).max() for f in frames]
    assert min(faded[41:44]) < 0.22 < faded[50], "half out, and back"
    assert faded[64:] == [0.0] * 12, "30 ms of silence, then a pause"
    assert len(frames) == 76
    source.muted = False
    play(range(80, 90))
    assert frames[76].talk_spurt_start
    assert np.abs(np.diff(np.concatenate([np.zeros(1), *[sound_of(f) for f in frames[76:]]]))).max() < 0.02


@pytest.mark.parametrize("frame_samples", [120, 960])
def test_two_channels_stay_two_and_are_heard_as_one(frame_samples: int) -> None:
    frames: list[EncodedFrame] = []
    source = pipeline(frames, PlainEncoder(frame_samples, channels=2))
    for block in range(20):
        left = voice(block)
        source.process(np.stack((left, -0.5 * left), axis=1), block * 0.01)
    sound = np.concatenate([sound_of(f).reshape(-1, 2) for f in frames])
    np.testing.assert_array_equal(sound[:, 0], np.concatenate([voice(n) for n in range(20)]))
    np.testing.assert_allclose(sound[:, 1], -0.5 * sound[:, 0], atol=1e-7)
    assert source.level_dbov == -26, "of a quarter"
    feed(source, range(20, 22))
    one = sound_of(frames[-1]).reshape(-1, 2)
    np.testing.assert_array_equal(one[:, 0], one[:, 1])
    source.muted = True
    feed(source, range(22, 24))
    last = np.concatenate([sound_of(f).reshape(-1, 2) for f in frames])[-960:]
    assert np.abs(np.diff(last, axis=0)).max() < 0.02
    assert (last[480:] == 0).all()


@pytest.mark.parametrize("frame_samples", [120, 960])
def test_who_is_muted_from_the_beginning_is_not_heard_for_a_moment(frame_samples: int) -> None:
    frames: list[EncodedFrame] = []
    source = pipeline(frames, PlainEncoder(frame_samples))
    source.muted = True
    feed(source, range(50))
    assert len(frames) >= 3
    assert not any(sound_of(frame).any() for frame in frames)
    source.muted = False
    feed(source, range(50, 60))
    assert sound_of(frames[-1]).any()


def test_muted_it_fades_out_and_sends_one_frame_in_400_ms() -> None:
    frames: list[EncodedFrame] = []
    source = pipeline(frames)
    feed(source, range(100))
    spoken = len(frames)
    source.muted = True
    feed(source, range(100, 500))
    quiet = frames[spoken:]
    # The fade, three frames behind it of which one may be lost, and then one in 400 ms for the four seconds that were muted.
    assert len(quiet) == 1 + 3 + 9
    fade, first, *_ = quiet
    keepalive = [first, *quiet[4:]]
    assert np.abs(np.diff(sound_of(fade))).max() < 0.02
    assert (sound_of(fade)[480:] == 0).all()
    assert (sound_of(first) == 0).all()
    assert [f.audio_level_dbov for f in quiet[1:]] == [-127] * 12
    assert not any(f.voice or f.talk_spurt_start for f in quiet[1:])
    assert {b.timestamp - a.timestamp for a, b in itertools.pairwise(keepalive)} == {19_200}

    source.muted = False
    feed(source, range(500, 502))
    back = frames[-1]
    assert back.talk_spurt_start
    assert back.timestamp == (FIRST + 500 * 480) % 2**32, "the timestamp counts what was not sent"
    assert abs(sound_of(back)[0]) < 0.001


def test_talking_is_heard_while_muted() -> None:
    heard: list[TalkingChange] = []
    source = pipeline([], on_talking=lambda change, _: heard.append(change))
    source.muted = True
    feed(source, range(20))
    assert heard == [TalkingChange.STARTED]
    assert source.level_dbov == -13
    feed(source, range(20, 120), lambda _: np.zeros(480, np.float32))
    assert heard == [TalkingChange.STARTED, TalkingChange.STOPPED]
    assert source.zero_samples == 48_000


def test_what_the_encoder_leaves_out_is_not_sent_and_the_next_frame_starts_a_spurt() -> None:
    class Dtx(PlainEncoder):
        @override
        def encode(self, samples: Samples) -> bytes:
            return super().encode(samples) if samples.any() else b"\x08"

    frames: list[EncodedFrame] = []
    source = pipeline(frames, Dtx())
    feed(source, range(10))
    feed(source, range(10, 30), lambda _: np.zeros(480, np.float32))
    feed(source, range(30, 40))
    assert [f.talk_spurt_start for f in frames] == [
        True,
        False,
        False,
        False,
        False,
        True,
        False,
        False,
        False,
        False,
    ]
    assert frames[5].timestamp == (FIRST + 30 * 480) % 2**32
    assert source.frames_unsent == 10


def test_lost_ticks_move_the_timestamp() -> None:
    frames: list[EncodedFrame] = []
    source = pipeline(frames)
    feed(source, range(3))
    source.skip(7, 0.1)
    feed(source, range(10, 12))
    # The frame in hand is made whole with silence, so that its sound is heard.
    assert [f.timestamp for f in frames] == [(FIRST + n * 480) % 2**32 for n in (0, 2, 10)]
    assert (sound_of(frames[1])[480:] == 0).all()
    assert sound_of(frames[1])[:480].any()
    assert frames[2].talk_spurt_start
    assert frames[1].captured_at == pytest.approx(0.1 - 0.01 * 6 - 0.02)


def test_muted_a_gap_is_silent_as_ever() -> None:
    frames: list[EncodedFrame] = []
    source = pipeline(frames)
    source.muted = True
    feed(source, range(20))
    before = len(frames)
    source.skip(400, 4.2)
    assert len(frames) - before == 10, "a frame in 400 ms"
    assert source.zero_samples == 0


def test_after_a_long_sleep_the_timestamp_has_run_on() -> None:
    frames: list[EncodedFrame] = []
    source = pipeline(frames)
    feed(source, range(2))
    source.skip(2_000_000, 20_000.02)
    feed(source, range(2))
    assert frames[-1].timestamp == (FIRST + 2_000_002 * 480) % 2**32


def test_numbers_that_are_none_become_silence() -> None:
    frames: list[EncodedFrame] = []
    feed(pipeline(frames), range(2), lambda _: np.full(480, np.nan, np.float32))
    assert (sound_of(frames[0]) == 0).all()


def test_the_frame_length_changes_between_frames() -> None:
    frames: list[EncodedFrame] = []
    source = pipeline(frames)
    feed(source, range(2))
    source.encoder.frame_samples = 480
    source.encoder_changed()
    feed(source, range(2, 4))
    assert [f.duration_samples for f in frames] == [960, 480, 480]
