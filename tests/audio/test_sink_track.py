import numpy as np
import pytest

from blink_cli.audio.sink_track import INBOX_PACKETS, SinkTrack
from blink_cli.core.audio_format import HIGHEST_GAIN_DB
from tests.audio.parts import PlainStream, packet

pytestmark = pytest.mark.no_clock


def test_packets_reach_the_stream_in_order_before_the_next_block() -> None:
    stream = PlainStream()
    track = SinkTrack(stream)
    for value in (0.1, 0.2):
        track.receive(packet(np.full(480, value, dtype=np.float32)))
    assert not stream.blocks
    assert track.next_block(0.0)[0] == np.float32(0.1)
    assert track.next_block(0.01)[0] == np.float32(0.2)


def test_a_full_inbox_loses_the_oldest_and_counts_them() -> None:
    track = SinkTrack(PlainStream())
    for value in range(INBOX_PACKETS + 3):
        track.receive(packet(np.full(480, value, dtype=np.float32)))
    assert track.next_block(0.0)[0] == 3.0
    track.publish()
    assert track.statistics.packets_dropped == 3


def test_statistics_are_a_snapshot_of_the_last_publication() -> None:
    track = SinkTrack(PlainStream())
    track.next_block(0.0)
    assert track.statistics.playout.total_samples_received == 0
    track.publish()
    assert track.statistics.playout.total_samples_received == 480


def test_gain_is_kept_within_reason() -> None:
    track = SinkTrack(PlainStream(), gain_db=500.0)
    assert track.gain_db == pytest.approx(HIGHEST_GAIN_DB)
    track.gain_db = -3.0
    assert track.gain_db == pytest.approx(-3.0)
