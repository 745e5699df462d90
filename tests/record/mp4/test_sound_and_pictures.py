"""Sound and pictures in one growing file: neither keeps the other from the disk."""

from pathlib import Path

import av
import pytest

from blink_cli.core.media.recorded_picture import PICTURE_CLOCK_HZ, PictureTrack
from blink_cli.record.mp4.file import FRAGMENT_MS, WAITS_FOR_PICTURES_MS, Mp4Labels, Mp4Writer
from blink_cli.video.recorded.track_encoder import TrackEncoder
from tests.record.readers import packet_seconds

pytestmark = pytest.mark.no_clock

FRAME = bytes.fromhex("48") + bytes(range(60))
FRAME_S = 0.02


def test_sound_is_written_though_no_picture_comes_and_the_pictures_follow(tmp_path: Path) -> None:
    path, track = tmp_path / "call.mp4", PictureTrack(160, 90)
    writer = Mp4Writer(path, Mp4Labels(("alice", "bob"), "", "", "", {0: track}))
    encoder = TrackEncoder(track)
    place_s: list[float] = []

    def shown(at_s: float) -> None:
        for picture in encoder.again(round(at_s * PICTURE_CLOCK_HZ)):
            place_s.append(at_s)
            writer.write_picture(0, picture)

    def heard(first: int, last: int) -> None:
        for number in range(first, last):
            for voice in (0, 1):
                writer.write(voice, FRAME, number * 960, 960)

    shown(0.0)
    shown(0.1)
    heard(0, 200)
    behind_s = 200 * FRAME_S - min(packet_seconds(path))
    assert behind_s <= (WAITS_FOR_PICTURES_MS + FRAGMENT_MS) / 1000 + 2 * FRAME_S
    for tenth in range(2, 40):
        shown(tenth / 10)
    heard(200, 250)
    writer.end_pictures(5 * PICTURE_CLOCK_HZ)
    writer.close()
    with av.open(str(path)) as container:
        assert [
            float(stream.duration or 0) * float(stream.time_base or 0) for stream in container.streams.video
        ] == [5.0]
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert [seconds(packet.pts) for packet in packets] == pytest.approx(place_s)
    assert [seconds(packet.duration) for packet in packets[:-1]] == pytest.approx([0.1] * 39)
    assert packet_seconds(path) == pytest.approx([5.0] * 2)


def seconds(ticks: int | None) -> float:
    assert ticks is not None
    return ticks / PICTURE_CLOCK_HZ
