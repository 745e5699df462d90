"""Media are told from everything else on the wire."""

import struct

import pytest
from benches.packet_watch import Kind, PacketTimes, kind_of

from blink_cli.core.gossip.datagram import VERSION
from blink_cli.lab.network import media_wire
from blink_cli.lab.network.media_wire import media_byte


def frame(payload: bytes, *, protocol: int = 17, ethertype: int = 0x0800, options: int = 0) -> bytes:
    """An Ethernet frame with an IPv4 datagram."""
    header = struct.pack("!BBHHHBBH4s4s", 0x45 + options, 0, 0, 0, 0, 64, protocol, 0, bytes(4), bytes(4))
    udp = struct.pack("!HHHH", 4000, 5000, 8 + len(payload), 0)
    return bytes(12) + struct.pack("!H", ethertype) + header + bytes(4 * options) + udp + payload


RTP = bytes([0x90, 111]) + bytes(30)
RTCP = bytes([0x81, 200]) + bytes(30)
STUN = bytes([0, 1]) + bytes(30)
DTLS = bytes([22, 254]) + bytes(30)
SIGNAL = bytes([VERSION, 4]) + bytes(510)


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (RTP, Kind.RTP),
        (RTCP, Kind.RTCP),
        (STUN, Kind.STUN),
        (DTLS, Kind.DTLS),
        (bytes([70, 0]), None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell(payload: bytes, kind: Kind | None) -> None:
    assert kind_of(payload) is kind


def test_only_media_in_udp_over_ipv4_meet_bad_networks() -> None:
    assert media_byte(frame(RTP)) == 111
    assert media_byte(frame(RTP, options=2)) == 111
    assert media_byte(frame(RTCP)) == 200
    for other in (
        frame(STUN),
        frame(DTLS),
        frame(SIGNAL),
        frame(RTP, protocol=6),
        frame(RTP, ethertype=0x86DD),
        frame(b""),
        b"",
    ):
        assert media_byte(other) is None


@pytest.mark.parametrize(
    ("second", "kind"),
    [
        (111, "rtp"),
        (63, "rtp"),
        (62, "again"),
        (96, "video"),
        (96 | 0x80, "video"),
        (97, "video"),
        (200, "rtcp"),
    ],
)
def test_pictures_and_what_goes_again_are_no_voice(second: int, kind: str) -> None:
    assert media_wire.kind_of(second) == kind


def test_signals_that_look_like_media_are_left_out() -> None:
    times = PacketTimes(
        [
            (1.0, Kind.RTP, 10, 20),  # before the call
            (2.0, Kind.RTP, 10, 20),  # a signal between the sessions
            (2.1, Kind.STUN, 11, 21),
            (2.2, Kind.RTP, 11, 21),
            (2.3, Kind.RTP, 99, 21),  # somebody else
        ]
    )
    assert times.between(frozenset({10, 11, 20, 21}), 1.5) == [(2.1, Kind.STUN), (2.2, Kind.RTP)]
