import itertools
from collections.abc import Callable

import numpy as np
import pytest

from blink_cli.audio.samples import Samples
from blink_cli.audio.source_pipeline import SourcePipeline
from blink_cli.core.rtp import EncodedFrame
from blink_cli.core.talking import TalkingChange
from tests.audio.parts import PlainEncoder, sound_of

FIRST = 0xFFFFFFFF - 1000


def pipeline(
    frames: list[EncodedFrame], encoder: PlainEncoder | None = None, **more: object
) -> SourcePipeline[PlainEncoder]:
    return SourcePipeline(encoder or PlainEncoder(), frames.append, first_timestamp=FIRST, **more)  # type: ignore[arg-type]


def voice(block: int) -> Samples:
    at = np.arange(block * 480, block * 480 + 480)
    return (0.3 * np.sin(2 * np.pi * 200 * at / 48_000)).astype(np.float32)


def feed(source: SourcePipeline[PlainEncoder], blocks: range, make: Callable[[int], Samples] = voice) -> None:
    for block in blocks:
        source.process(make(block), block * 0.01)


@pytest.mark.parametrize("frame_samples", [480, 960, 1920, 2880])
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
    assert {f.audio_level_dbov for f in frames} == {-13}


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
    source = pipeline([], on_talking=heard.append)
    source.muted = True
    feed(source, range(20))
    assert heard == [TalkingChange.STARTED]
    assert source.level_dbov == -13
    feed(source, range(20, 120), lambda _: np.zeros(480, np.float32))
    assert heard == [TalkingChange.STARTED, TalkingChange.STOPPED]
    assert source.zero_samples == 48_000


def test_what_the_encoder_leaves_out_is_not_sent_and_the_next_frame_starts_a_spurt() -> None:
    class Dtx(PlainEncoder):
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
    source.skip(7)
    feed(source, range(10, 12))
    assert [f.timestamp for f in frames] == [FIRST, (FIRST + 10 * 480) % 2**32]
    assert frames[1].talk_spurt_start


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


def test_frames_that_were_cut_off_at_full_scale_are_counted() -> None:
    def overdriven(block: int) -> Samples:
        return np.clip(5 * voice(block), -1, 1)

    source = pipeline([])
    feed(source, range(100))
    assert source.clipped_frames == 0
    source.muted = True
    feed(source, range(100, 150), overdriven)
    assert source.clipped_frames == 25


def test_a_single_peak_is_no_clipping() -> None:
    def click(block: int) -> Samples:
        sound = np.zeros(480, dtype=np.float32)
        sound[100] = 1.0
        return sound

    source = pipeline([])
    feed(source, range(100), click)
    assert source.clipped_frames == 0
