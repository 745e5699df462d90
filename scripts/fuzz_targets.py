"""What reads bytes from others, each as a function that may raise the errors it documents and nothing else.

datagram      the gossip, in a call, with offers under way      envelope    as it comes out of the seal
signal        the content of a well-signed envelope             sdp         descriptions and candidates
rtp, red, rtcp, loss_report, opus                               control     lines of the control socket, both ways
settings, contacts, key                                         files of a profile
"""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from blink_cli.app.contacts import Contacts
from blink_cli.app.key_file import load_identity
from blink_cli.app.settings import load_settings
from blink_cli.core.control_protocol import Ask, decode_from_client, decode_from_session, decode_request
from blink_cli.core.envelope import read_envelope
from blink_cli.core.errors import BlinkError, WireError
from blink_cli.core.loss_report import LossReport
from blink_cli.core.opus_packet import carries_fec, is_discontinuous, packet_samples
from blink_cli.core.red import unpack
from blink_cli.core.rtcp import parse_rtcp
from blink_cli.core.rtp_header import parse_rtp
from blink_cli.net.sdp import read_candidate, read_description
from tests.core.gossip.parts import LAN
from tests.core.gossip.test_hostile_datagrams import STRANGER, VALID, listening_party
from tests.core.test_envelope import read, signed

Target = Callable[[bytes], None]

WALL_S = 1_700_000_000.0

_folder = Path(tempfile.mkdtemp(prefix="blink-fuzz-"))


def datagram(data: bytes) -> None:
    """Several datagrams, each after its length, a moment apart."""
    party = listening_party()
    position, now_s = 0, 2.0
    while position + 2 <= len(data):
        end = position + 2 + int.from_bytes(data[position : position + 2], "big") % 1_300
        party.gossip.receive(data[position + 2 : end], LAN, STRANGER, now_s, WALL_S + now_s)
        party.gossip.wake(now_s, WALL_S + now_s)
        position, now_s = end, now_s + 0.01


def envelope(data: bytes) -> None:
    """As it comes out of the seal."""
    with suppress(WireError):
        read_envelope(data, scope=bytes(32), recipient=bytes(32))


def signal(data: bytes) -> None:
    """The content of an envelope that is signed as it should be."""
    with suppress(WireError):
        read(signed(data[1:], deflated=bool(data[:1] > b"\x7f")))


def sdp(data: bytes) -> None:
    """A description, and each of its lines as a candidate."""
    text = data.decode("utf-8", "replace")
    for is_answer in (False, True):
        with suppress(WireError):
            read_description(text, is_answer=is_answer, loopback=False)
    for line in text.splitlines():
        with suppress(WireError):
            read_candidate(line, loopback=True)


def rtp(data: bytes) -> None:
    """A packet after SRTP."""
    with suppress(WireError):
        parse_rtp(data, 0.0, 1)


def red(data: bytes) -> None:
    """A payload of RFC 2198."""
    with suppress(WireError):
        unpack(data, 0)


def rtcp(data: bytes) -> None:
    """A compound packet after SRTCP."""
    with suppress(WireError):
        parse_rtcp(data)


def loss_report(data: bytes) -> None:
    """The data of our APP packet."""
    with suppress(WireError):
        LossReport.from_bytes(data)


def opus(data: bytes) -> None:
    """What is read of an Opus packet without decoding it."""
    for question in (packet_samples, is_discontinuous, carries_fec):
        with suppress(WireError):
            question(data)


def control(data: bytes) -> None:
    """A line from a client, and one from a session."""
    with suppress(BlinkError):
        asked = decode_from_client(data)
        if isinstance(asked, Ask):
            decode_request(asked.request)
    with suppress(BlinkError):
        decode_from_session(data)


def settings(data: bytes) -> None:
    """settings.toml."""
    file = _folder / "settings.toml"
    file.write_bytes(data)
    with suppress(BlinkError):
        load_settings(file)


def contacts(data: bytes) -> None:
    """contacts.json."""
    file = _folder / "contacts.json"
    file.write_bytes(data)
    with suppress(BlinkError):
        Contacts(file).list()


def key(data: bytes) -> None:
    """identity.pem."""
    file = _folder / "identity.pem"
    file.write_bytes(data)
    file.chmod(0o600)
    with suppress(BlinkError):
        load_identity(file, None)


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        *(
            datagram,
            envelope,
            signal,
            sdp,
            rtp,
            red,
            rtcp,
            loss_report,
            opus,
            control,
            settings,
            contacts,
            key,
        ),
    )
}

SEEDS: dict[str, list[bytes]] = {
    "datagram": [len(one).to_bytes(2, "big") + one for one in VALID],
    "sdp": [
        b"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 0.0.0.0\r\n"
    ],
    "control": [b'{"kind":"request","id":1,"request":{"type":"offer","peers":["bob"],"wait_s":1.5}}'],
    "settings": [b'nickname = "anna"\n[codec]\nfec = true\n[[ice_servers]]\nurl = "stun:192.0.2.1"\n'],
    "contacts": [
        b'{"version":1,"contacts":{"bob":"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"}}'
    ],
    "rtp": [bytes([0x90, 0xEF]) + bytes(10) + b"\xbe\xde\x00\x01\x10\x85\x00\x00" + b"\x78payload"],
    "red": [b"\xef\x0f\x00\x04\x6fabcdrest"],
}
