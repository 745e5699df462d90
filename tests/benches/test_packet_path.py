"""A packet passes no more objects and calls than the bench allows, and the bench would say so."""

from dataclasses import replace

import pytest
from benches import packet_path
from benches.packet_path import MOST_HOPS, Way


@pytest.mark.in_pairs
def test_a_packet_passes_five_objects_and_few_calls(capsys: pytest.CaptureFixture[str]) -> None:
    assert packet_path.main(["--seconds", "1"]) == 0, capsys.readouterr().out
    out = capsys.readouterr().out
    assert "LinkSocket -> PacketReceiving -> ParticipantMedia -> SinkTrack -> MediaTaps" in out
    assert "MeshMedia -> ParticipantMedia -> FrameSending -> SecureTransport -> MediaTaps" in out


def test_one_hop_or_call_too_many_is_a_failure() -> None:
    way = Way(
        "received",
        50,
        ("A",) * MOST_HOPS["received"],
        packet_path.MOST_CALLS["received"],
        {},
        packet_path.MOST_CALLS["received"],
    )
    assert way.fits
    assert not replace(way, hops=(*way.hops, "B")).fits
    assert not replace(way, calls=way.calls + 1).fits
