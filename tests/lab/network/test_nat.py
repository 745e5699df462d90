"""Translators map and filter as RFC 4787 says, and their frames are whole."""

import struct

import pytest

from blink_cli.lab.network.nat import FULL_CONE, MAPPING_LASTS_S, PORT_RESTRICTED, SYMMETRIC, Nat
from blink_cli.lab.network.nat_wire import Translator, ip_network_of

pytestmark = pytest.mark.no_clock

UDP = 17
INSIDE = ("192.168.1.2", 4000)
STUN, PEER, PEERS_OTHER_PORT, STRANGER = (
    ("10.66.0.1", 3478),
    ("10.66.0.3", 5000),
    ("10.66.0.3", 5001),
    ("10.66.0.9", 6),
)


def test_a_full_cone_has_one_port_for_all_and_lets_everybody_in() -> None:
    nat = Nat(FULL_CONE, "seed")
    port = nat.leave(UDP, INSIDE, STUN, 0)
    assert nat.leave(UDP, INSIDE, PEER, 0) == port
    assert nat.enter(UDP, port, STRANGER, 1) == INSIDE


def test_a_port_restricted_cone_lets_in_who_was_spoken_to() -> None:
    nat = Nat(PORT_RESTRICTED, "seed")
    port = nat.leave(UDP, INSIDE, STUN, 0)
    assert nat.enter(UDP, port, PEER, 1) is None
    assert nat.leave(UDP, INSIDE, PEER, 2) == port
    assert nat.enter(UDP, port, PEER, 3) == INSIDE
    assert nat.enter(UDP, port, PEERS_OTHER_PORT, 3) is None


def test_a_symmetric_one_has_a_port_for_each_and_lets_in_that_one() -> None:
    nat = Nat(SYMMETRIC, "seed")
    ports = [nat.leave(UDP, INSIDE, outside, 0) for outside in (STUN, PEER, PEERS_OTHER_PORT)]
    assert len(set(ports)) == 3
    assert [nat.enter(UDP, port, PEER, 1) for port in ports] == [None, INSIDE, None]


def test_a_mapping_lasts_as_long_as_it_is_used_from_inside() -> None:
    nat = Nat(FULL_CONE, "seed")
    port = nat.leave(UDP, INSIDE, STUN, 0)
    renewed = MAPPING_LASTS_S - 1
    assert nat.leave(UDP, INSIDE, PEER, renewed) == port
    assert nat.enter(UDP, port, STUN, renewed + MAPPING_LASTS_S - 1) == INSIDE
    assert nat.enter(UDP, port, STUN, renewed + MAPPING_LASTS_S) is None
    assert nat.leave(UDP, INSIDE, STUN, renewed + MAPPING_LASTS_S) != port


def test_one_that_reboots_forgets() -> None:
    nat = Nat(FULL_CONE, "seed")
    port = nat.leave(UDP, INSIDE, STUN, 0)
    nat.reboot()
    assert nat.enter(UDP, port, STUN, 1) is None
    assert nat.leave(UDP, INSIDE, STUN, 1) != port


def checksum(content: bytes) -> int:
    """RFC 1071."""
    padded = content + b"\0" * (len(content) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def address(text: str) -> bytes:
    return bytes(map(int, text.split(".")))


def udp_frame(source: tuple[str, int], destination: tuple[str, int], payload: bytes) -> bytes:
    ends = address(source[0]) + address(destination[0])
    header = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(payload), 7, 0x4000, 64, UDP, 0) + ends
    header = header[:10] + checksum(header).to_bytes(2, "big") + header[12:]
    length = 8 + len(payload)
    datagram = struct.pack("!HHHH", source[1], destination[1], length, 0) + payload
    total = checksum(ends + struct.pack("!HH", UDP, length) + datagram)
    return b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + header + datagram[:6] + total.to_bytes(2, "big") + datagram[8:]


@pytest.mark.parametrize("payload", [b"", b"odd", bytes(range(200))])
def test_frames_change_their_ends_and_nothing_else(payload: bytes) -> None:
    translator = Translator(
        Nat(PORT_RESTRICTED, "seed"), INSIDE[0], "10.66.0.2", ip_network_of("192.168.1.2")
    )
    out = translator.leaving(udp_frame(INSIDE, PEER, payload), 0)
    assert out is not None
    port = int.from_bytes(out[34:36], "big")
    assert out == udp_frame(("10.66.0.2", port), PEER, payload)
    back = translator.entering(udp_frame(PEER, ("10.66.0.2", port), payload), 1)
    assert back == udp_frame(PEER, INSIDE, payload)


def test_what_no_translator_passes() -> None:
    translator = Translator(Nat(FULL_CONE, "seed"), INSIDE[0], "10.66.0.2", ip_network_of("192.168.1.2"))
    assert translator.leaving(udp_frame(INSIDE, ("239.1.1.1", 5), b"multicast"), 0) is None
    assert translator.leaving(udp_frame(("192.168.1.77", 5), PEER, b"not the host's"), 0) is None
    assert translator.leaving(b"\xff" * 12 + b"\x86\xdd" + b"\0" * 60, 0) is None, "IPv6"
    assert translator.entering(udp_frame(PEER, ("10.66.0.2", 2000), b"no mapping"), 0) is None
