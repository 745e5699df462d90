"""What is counted of pictures whose stream has packets without any."""

import pytest

from blink_cli.core.analysis.video_analysis import ReceivedPictures, VideoPacket
from blink_cli.core.media.video.video_format import VIDEO_CLOCK_HZ

pytestmark = pytest.mark.no_clock

FPS = 15
FIRST_TIMESTAMP = 0xFFFF_0000
"""It wraps in the eleventh picture."""

FOREIGN_TIMESTAMP = 468_000
"""Of another beginning, as of who passes a stream on."""


def picture(sequence: int, number: int) -> VideoPacket:
    return VideoPacket(
        sequence=sequence,
        timestamp=(FIRST_TIMESTAMP + number * VIDEO_CLOCK_HZ // FPS) & 0xFFFF_FFFF,
        at_s=10.0 + number / FPS,
        payload_bytes=900,
        begins_frame=True,
        ends_frame=True,
        is_key=number == 0,
    )


def empty(sequence: int, at_s: float) -> VideoPacket:
    return VideoPacket(
        sequence=sequence,
        timestamp=FOREIGN_TIMESTAMP,
        at_s=at_s,
        payload_bytes=0,
        begins_frame=False,
        ends_frame=False,
        is_key=False,
    )


@pytest.mark.parametrize("begins_empty", [False, True])
def test_an_empty_packet_is_no_frame_and_makes_no_jitter(*, begins_empty: bool) -> None:
    stream = ReceivedPictures(1)
    sequence = 100
    if begins_empty:
        stream.packet(empty(sequence, 9.99))
        sequence += 1
    for number in range(45):
        stream.packet(picture(sequence, number))
        sequence += 1
        if number % FPS == FPS - 1:
            stream.packet(empty(sequence, 10.02 + number / FPS))
            sequence += 1
    figures = stream.figures()
    assert (figures.packets_received, figures.packets_lost) == (48, 0)
    assert (figures.frames_received, figures.key_frames_received, figures.frames_incomplete) == (45, 1, 0)
    assert figures.max_jitter_ms < 0.1
    assert figures.max_frame_interval_ms == pytest.approx(1000 / FPS)
