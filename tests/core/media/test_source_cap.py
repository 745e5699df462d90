"""Which streams libsrtp is shown."""

import struct

import pytest

from blink_cli.core.media.source_cap import MAX_REPORTERS, MAX_SOURCES, SourceCap

pytestmark = pytest.mark.no_clock


def rtp(ssrc: int) -> bytes:
    return struct.pack("!BBHII", 0x80, 111, 1, 1, ssrc)


def rtcp(ssrc: int) -> bytes:
    return struct.pack("!BBHI", 0x80, 201, 1, ssrc)


def test_of_announced_sources_only_those_pass() -> None:
    cap = SourceCap((7,))
    cap.heard_rtp(rtp(7))
    assert cap.admits_rtp(rtp(7))
    assert not cap.admits_rtp(rtp(8))


def test_without_an_announcement_the_first_few_authentic_ones_pass() -> None:
    cap = SourceCap(())
    for ssrc in range(100):
        assert cap.admits_rtp(rtp(ssrc)), "what was only shown, and not authentic, takes no place"
    for ssrc in range(MAX_SOURCES):
        cap.heard_rtp(rtp(ssrc))
    assert not cap.admits_rtp(rtp(99))
    assert all(cap.admits_rtp(rtp(ssrc)) for ssrc in range(MAX_SOURCES))


def test_reporters_have_places_of_their_own() -> None:
    cap = SourceCap((7,))
    cap.heard_rtcp(rtcp(7))
    for ssrc in range(100, 100 + MAX_REPORTERS):
        assert cap.admits_rtcp(rtcp(ssrc))
        cap.heard_rtcp(rtcp(ssrc))
    assert not cap.admits_rtcp(rtcp(99))
    assert cap.admits_rtcp(rtcp(7))
    assert cap.admits_rtcp(rtcp(100))
