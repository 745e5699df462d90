"""The audio level on the wire: hidden between two of us, as ever with a side that does not know how; libsrtp is real, and so are the links."""

from collections.abc import AsyncIterator

import pytest
from pylibsrtp import Policy, Session

from blink_cli.lab.links import End, Wire, connect, frame
from blink_cli.net.link import header_encryption
from blink_cli.net.link.sdp import AUDIO_LEVEL_ID, ENCRYPTED_EXTMAP, ENCRYPTED_LEVEL_ID, read_description
from blink_cli.runtime.tasks import TaskOwner

pytestmark = pytest.mark.real_time

LEVEL_AT = 17
"""Behind 12 bytes of header, 4 of the extension's and the element's id."""

PACKETS = 40


@pytest.fixture
async def ends() -> AsyncIterator[tuple[End, End]]:
    async with TaskOwner("test") as tasks:
        a, b = End("a", tasks), End("b", tasks)
        async with a.link, b.link:
            yield a, b


async def levels_on_the_wire(a: End, b: End) -> list[int]:
    """One loud voice sends; what a listener reads where the level stands."""
    async with Wire() as wire:
        await connect(a, b, wire=wire)
        for index in range(PACKETS):
            a.link.send_frame(frame(index, level_dbov=-20, voice=True))
        await b.until(lambda: len(b.packets) == PACKETS)
        read = [datagram[LEVEL_AT] for from_offerer, datagram in wire.passed if from_offerer]
    assert {(packet.audio_level_dbov, packet.voice) for packet in b.packets} == {(-20, True)}
    return read


async def test_a_listener_reads_no_level_between_two_of_us(ends: tuple[End, End]) -> None:
    a, b = ends
    assert header_encryption.is_available(), (
        "pylibsrtp's wheels all have the libsrtp that this was written for"
    )
    read = await levels_on_the_wire(a, b)
    assert a.link.media_format == b.link.media_format
    assert a.link.media_format is not None
    assert a.link.media_format.level_id == ENCRYPTED_LEVEL_ID
    assert len(set(read)) > PACKETS // 2, "the same level looks like any other"


def test_a_libsrtp_that_hides_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def plain(key: bytes, profile: int, direction: int, extension_id: int) -> Session:
        return Session(Policy(key=key, ssrc_type=direction, srtp_profile=profile))

    monkeypatch.setattr(header_encryption, "_session", plain)
    assert not header_encryption.is_available.__wrapped__()


@pytest.mark.parametrize("older", ["who offers", "who answers"])
async def test_a_side_that_cannot_gets_the_level_as_ever(
    ends: tuple[End, End], monkeypatch: pytest.MonkeyPatch, older: str
) -> None:
    a, b = ends
    # Both ends ask when they describe themselves: the offerer first.
    answers = iter([older != "who offers", older != "who answers"])
    monkeypatch.setattr(header_encryption, "is_available", lambda: next(answers))
    read = await levels_on_the_wire(a, b)
    assert a.link.media_format is not None
    assert a.link.media_format.level_id == AUDIO_LEVEL_ID
    assert set(read) == {0x80 | 20}


async def test_older_builds_and_browsers_read_our_offer(ends: tuple[End, End]) -> None:
    offer = await ends[0].link.create_offer()
    assert f"a={ENCRYPTED_EXTMAP}:{ENCRYPTED_LEVEL_ID} " in offer
    known = "".join(
        line for line in offer.splitlines(keepends=True) if not line.startswith(f"a={ENCRYPTED_EXTMAP}")
    )
    assert read_description(known, is_answer=False, loopback=True).format.level_id == AUDIO_LEVEL_ID
    # And what they may say beside an extension is no obstacle (RFC 6464, section 4).
    said = known.replace("ssrc-audio-level", "ssrc-audio-level vad=on")
    assert read_description(said, is_answer=False, loopback=True).format.level_id == AUDIO_LEVEL_ID


async def test_a_copy_by_the_network_tells_no_level_that_was_encrypted(ends: tuple[End, End]) -> None:
    a, b = ends
    async with Wire() as wire:
        wire.on_rtp = lambda _sequence, _from_offerer: 2
        await connect(a, b, wire=wire)
        a.link.send_frame(frame(0, level_dbov=-20, voice=True))
        await b.until(lambda: bool(b.copies))
    assert [(copy.audio_level_dbov, copy.voice) for copy in b.copies] == [(None, False)]
