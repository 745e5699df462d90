"""Our calls of libsrtp do what pylibsrtp's do."""

import pylibsrtp
import pytest
from pylibsrtp import Policy, Session

from blink_cli.net.link.rtp_sealing import BUFFER_BYTES, opening, sealing

pytestmark = pytest.mark.no_clock

KEY = bytes(range(30))
PACKET = bytes([0x80, 111, 0, 1]) + bytes(8) + b"voice"


def session(kind: int) -> Session:
    return Session(Policy(key=KEY, ssrc_type=kind))


def test_what_is_sealed_is_what_pylibsrtp_seals_and_each_opens_the_others() -> None:
    sealed = sealing(session(Policy.SSRC_ANY_OUTBOUND))(PACKET)
    assert sealed == session(Policy.SSRC_ANY_OUTBOUND).protect(PACKET)
    assert sealed != PACKET
    assert opening(session(Policy.SSRC_ANY_INBOUND))(sealed) == PACKET


def test_a_replay_and_a_forgery_are_refused_with_pylibsrtps_sentences() -> None:
    sealed = sealing(session(Policy.SSRC_ANY_OUTBOUND))(PACKET)
    open_packet = opening(session(Policy.SSRC_ANY_INBOUND))
    with pytest.raises(pylibsrtp.Error, match="authentication failure"):
        open_packet(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    open_packet(sealed)
    with pytest.raises(pylibsrtp.Error, match=r"^replay check failed \(bad index\)$"):
        open_packet(sealed)


def test_a_packet_that_does_not_fit_libsrtps_buffer_is_not_copied_there() -> None:
    for process in (
        sealing(session(Policy.SSRC_ANY_OUTBOUND)),
        opening(session(Policy.SSRC_ANY_INBOUND)),
    ):
        with pytest.raises(ValueError, match="too long"):
            process(PACKET[:12] + bytes(BUFFER_BYTES))
