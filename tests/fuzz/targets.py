"""What reads bytes from others, each as a function that may raise the errors it documents and nothing else.

datagram      the gossip, in a call, with offers under way      envelope    as it comes out of the seal
signal        the content of a well-signed envelope             sdp         descriptions and candidates
invitation    what `join` is given
rtp, red, rtcp, loss_report, opus                               control     lines of the control socket, both ways
claim         what DNS-SD says of a session                     endpoint    addresses and names of devices, as users write them
settings, contacts, key, devices                                files of a profile
boxes         an MP4's, without FFmpeg                          recording   a leftover through FFmpeg: opened, repaired, decoded
sidecar       of a recording, and of a repaired one             rtp_log     a table that another program saved: analysis, capture
capture       that another program made: frames, streams, figures
json_text, path_text                                            texts that hold undecodable bytes
clock_answers, greetings                                        datagrams of theirs, sealed and signed as they should be
stun          at the ports of the audio
"""

import shutil
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar, Final, cast

import msgspec
from aioice.ice import Connection, StunProtocol
from zeroconf.asyncio import AsyncServiceInfo

from blink_cli.app.files.capture_files import analyse_capture
from blink_cli.app.files.rtp_log_files import analyse_log, export_capture
from blink_cli.app.profile.contacts import Contacts
from blink_cli.app.profile.device_memory import DeviceMemory
from blink_cli.app.profile.key_file import load_identity
from blink_cli.app.profile.profile import Profile
from blink_cli.app.profile.settings import load_settings
from blink_cli.commands.analysis_text import analysis_lines
from blink_cli.commands.capture_command import capture_lines
from blink_cli.core.api.control_protocol import (
    Answer,
    Ask,
    Happening,
    decode_from_client,
    decode_from_session,
    decode_reply,
    decode_request,
)
from blink_cli.core.api.device_name import parse_input_name, parse_output_name
from blink_cli.core.api.event_content import decode_event
from blink_cli.core.api.invitation import SCHEME, read_invitation
from blink_cli.core.api.requests import GetStatus
from blink_cli.core.endpoint import parse_endpoint, parse_group, parse_interface
from blink_cli.core.errors import BlinkError, UsageError, WireError
from blink_cli.core.gossip.datagram import write_datagrams
from blink_cli.core.gossip.greeting import GREETING
from blink_cli.core.gossip.neighbours import NEIGHBOUR_TOPIC
from blink_cli.core.gossip.paths import unicast_path
from blink_cli.core.gossip.versions import WORD
from blink_cli.core.media.extended_report import StatisticsSummary, VoipMetrics, write_extended_report
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.opus_packet import carries_fec, is_discontinuous, packet_samples
from blink_cli.core.media.red import unpack
from blink_cli.core.media.rtcp import parse_rtcp, write_report
from blink_cli.core.media.rtp_header import parse_rtp
from blink_cli.core.signaling.channel_seal import seal_message
from blink_cli.core.signaling.envelope import read_envelope
from blink_cli.core.signaling.signals import CLOCK_NONCE_BYTES, ClockReply, ClockRequest, Presence
from blink_cli.core.signaling.timeline import TIMELINE_KEY_BYTES
from blink_cli.core.text.json_text import decode_json, loads, raw_json
from blink_cli.core.text.path_text import as_word, escaped, name_ending, readable, shown
from blink_cli.net.ice.stun_guard import StunGuard
from blink_cli.net.link.sdp import read_candidate, read_description
from blink_cli.net.signaling.discovery import SERVICE_TYPE, _read_claim
from blink_cli.record.finished.leftovers import sidecar_of
from blink_cli.record.finished.repair import repair
from blink_cli.record.finished.repaired_sidecar import repaired_sidecar
from blink_cli.record.finished.track_decoder import RecordingDecoder
from blink_cli.record.mp4.boxes import boxes_of, holds_fragments
from blink_cli.record.mp4.movie import amend, amended
from blink_cli.record.recording.sidecar import beginning, write_sidecar
from blink_cli.record.rtp_log.format import COLUMNS, HEADER
from tests.core.gossip.parts import LAN, Party, Wire
from tests.core.gossip.test_hostile_datagrams import CHANNELS, STRANGER, VALID, listening_party
from tests.core.signaling.test_envelope import read, signed
from tests.record.capture.parts import START_NS, Sending, announcement, pcap, pcapng, stream
from tests.record.recording.test_recording import plan_for
from tests.record.rtp_log_parts import example_rows
from tests.record.simulated_call import ALICE, BOB, Link, Sender, record

Target = Callable[[bytes], None]

VALID_KEY: Final = Party(3).identity.public_key

_ANY: Final = msgspec.json.Decoder(Any)
STRANGER_PORT = ("192.0.2.1", 9)

WALL_S = 1_700_000_000.0
GROUP = parse_group("239.255.66.76:7667")

_IN_MEMORY: Final = Path("/dev/shm")
_folder = Path(tempfile.mkdtemp(prefix="blink-fuzz-", dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None))


class _LongListener:
    """A session that hears many inputs, one after the other: making one takes twenty times as long as an input."""

    INPUTS: Final = 200

    def __init__(self) -> None:
        self._left = 0
        self._party = listening_party()
        self._now_s = 2.0

    def next(self) -> tuple[Party, float]:
        """The session, and a time behind all earlier inputs."""
        if self._left == 0:
            self._left, self._party, self._now_s = self.INPUTS, listening_party(), 2.0
            self._party.gossip.greet_as("bob")
        self._left -= 1
        self._now_s += 0.1
        return self._party, self._now_s


_LISTENER: Final = _LongListener()


def datagram(data: bytes) -> None:
    """Several datagrams, each after its length, a moment apart. What breaks may need the inputs before it too."""
    party, now_s = _LISTENER.next()
    position = 0
    while position + 2 <= len(data):
        end = position + 2 + int.from_bytes(data[position : position + 2], "big") % 1_300
        party.gossip.receive(data[position + 2 : end], LAN, STRANGER, now_s, WALL_S + now_s)
        party.gossip.handle_timeout(now_s, WALL_S + now_s)
        position, now_s = end, now_s + 0.01


def envelope(data: bytes) -> None:
    """As it comes out of the seal."""
    with suppress(WireError):
        read_envelope(data, scope=bytes(32), recipient=bytes(32))


def signal(data: bytes) -> None:
    """The content of an envelope that is signed as it should be."""
    with suppress(WireError):
        read(signed(data[1:], deflated=bool(data[:1] > b"\x7f")))


def invitation(data: bytes) -> None:
    """What stands in an invitation, with the right check; and any text."""
    check = blake2b(data, digest_size=4, person=b"blink-invite").digest()
    for text in (
        SCHEME + urlsafe_b64encode(data + check).decode().rstrip("="),
        data.decode(errors="replace"),
    ):
        with suppress(UsageError):
            read_invitation(text)


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


class _Socket:
    """In the place of one of aioice's: a key of what the guard remembers."""

    transactions: ClassVar[dict[bytes, object]] = {}


def stun(data: bytes) -> None:
    """A datagram at a port of the audio, and the attributes of a check that comes there."""
    connection = Connection(ice_controlling=True, local_username="ours", local_password="p" * 22)
    protocol = cast("StunProtocol", _Socket())
    guard = StunGuard(connection)
    head = b"\x00\x01" + (len(data) & 0xFFFF).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + bytes(12)
    for datagram_of_it in (data, head + data):
        guard.judge(datagram_of_it, protocol, STRANGER_PORT, 0.0)


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
        told = decode_from_session(data)
        if isinstance(told, Happening):
            decode_event(told.event)
        elif isinstance(told, Answer):
            decode_reply(GetStatus(), told.reply)


def claim(data: bytes) -> None:
    """The TXT record of a session, after its port and an address."""
    address = data[2:18] if data[:1] > b"\x7f" else data[2:6]
    if len(address) not in (4, 16):
        return
    port = int.from_bytes(data[:2], "big")
    info = AsyncServiceInfo(
        SERVICE_TYPE, f"x.{SERVICE_TYPE}", port=port, addresses=[address], properties=data[18:]
    )
    told = _read_claim(info, GROUP)
    if told is not None:
        _, _, where, _ = told
        host, _, said_port = where.rpartition(":")
        unicast_path((host.strip("[]"), int(said_port)))


def endpoint(data: bytes) -> None:
    """HOST:PORT, a group, an interface, and the names of devices."""
    text = data.decode("utf-8", "replace")
    for read_text in (parse_endpoint, parse_group, parse_interface, parse_input_name, parse_output_name):
        with suppress(BlinkError):
            read_text(text)


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


def boxes(data: bytes) -> None:
    """The boxes of a growing MP4, and an index that is amended."""
    file = _folder / "boxes.mp4"
    file.write_bytes(data)
    found = boxes_of(file)
    assert found.whole_bytes <= len(data)
    holds_fragments(file, found.whole_bytes)
    assert len(amended(data)) == len(data)
    with file.open("r+b", buffering=0) as opened:
        amend(opened.fileno())
    assert file.stat().st_size == len(data)


def recording(data: bytes) -> None:
    """A leftover: decoded, and repaired."""
    folder = Path(tempfile.mkdtemp(dir=_folder))
    try:
        file = folder / "x.part.mp4"
        file.write_bytes(data)
        with suppress(BlinkError, OSError, ValueError, MemoryError):
            decoder = RecordingDecoder(file, 10.0)
            samples = sum(block.shape[1] for block in decoder.blocks())
            decoder.close()
            assert samples <= 48_000 * 100
        with suppress(BlinkError):
            repair(file, lambda _: None, "token")
    finally:
        shutil.rmtree(folder)


def sidecar(data: bytes) -> None:
    """The JSON beside a recording."""
    file = _folder / "x.json"
    file.write_bytes(data)
    beginning(file)
    left = sidecar_of(file)
    if left is not None:
        write_sidecar(_folder / "repaired.json", repaired_sidecar(left, "x.mp4", 10.0))


def rtp_log(data: bytes) -> None:
    """An RTP log: analysed, told, and written as a capture."""
    file, capture = _folder / "log.csv", _folder / "log.pcap"
    file.write_bytes(data)
    with suppress(BlinkError):
        for line in analysis_lines(analyse_log(file)):
            assert line.isprintable()
    with suppress(BlinkError):
        export_capture(file, capture)
    capture.unlink(missing_ok=True)


def capture(data: bytes) -> None:
    """A capture of another program: its frames, the streams in them, and what is told of these."""
    file = _folder / "capture"
    file.write_bytes(data)
    with suppress(BlinkError):
        for line in capture_lines(analyse_capture(file, {})):
            assert line.isprintable()


def json_text(data: bytes) -> None:
    """JSON that may hold undecodable bytes."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        decode_json(data, _ANY)
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        assert loads(raw_json(loads(data))) is not NotImplemented


def path_text(data: bytes) -> None:
    """Any path, as a sentence, a word and a name."""
    path = data.decode(errors="surrogateescape")
    for text in (shown(path), as_word(path), escaped(path), readable(path)):
        text.encode()
    assert shown(path).isprintable()
    assert len(name_ending(path, ".mp4").encode(errors="surrogateescape")) <= 255


def clock_answers(data: bytes) -> None:
    """Questions and answers about a clock that are sealed and signed as they should be, a moment apart."""
    anna, bob = Party(1), Party(2)
    wire = Wire([anna, bob])
    bob.clock_error_s = int.from_bytes(data[:6], "big", signed=True) / 1_000
    for start in range(6, min(len(data), 6 + 4 * 24), 24):
        piece = data[start : start + 24].ljust(24, b"\0")
        nonce, number = (
            piece[:CLOCK_NONCE_BYTES].ljust(CLOCK_NONCE_BYTES, b"n"),
            int.from_bytes(piece[-7:-1], "big"),
        )
        wire.send_to_peer(bob, anna, Presence("bob", reply_wanted=False), None)
        reply = ClockReply(nonce, piece.ljust(TIMELINE_KEY_BYTES, b"t")[:TIMELINE_KEY_BYTES], number)
        wire.send_to_peer(bob, anna, reply if piece[-1] & 1 else ClockRequest(nonce), None)
        wire.now_s += piece[-1] / 10
        for party in wire.parties:
            wire.do(party, party.gossip.handle_timeout(wire.now_s, wire.wall_s(party)))


_GREETED: Final = listening_party()
_GREETED.gossip.greet_as("bob")


def greetings(data: bytes) -> None:
    """A greeting, and any other content of the topic of neighbours."""
    for said in (data, GREETING + data, GREETING + VALID_KEY + data):
        for one in write_datagrams(NEIGHBOUR_TOPIC, bytes(16), (said[:1_000],), ttl=0, attempt=0):
            _GREETED.gossip.receive(one, LAN, STRANGER, 2.0, WALL_S + 2.0)


def version_word(data: bytes) -> None:
    """The word of another version, and datagrams of version 1."""
    for said in (data, WORD + data, b"\xb1\x04\x00\x00\x01" + bytes(32) + data, b"\xb3" + data):
        _GREETED.gossip.receive(said[:1_000], LAN, STRANGER, 2.0, WALL_S + 2.0)


def channel_message(data: bytes) -> None:
    """Any message that is sealed well for a channel that is listened to."""
    party = listening_party()
    for number, channel in enumerate(CHANNELS):
        message_id = bytes([number]) * 16
        parts = seal_message(data, channel, message_id)
        for one in write_datagrams(channel.topic, message_id, parts, ttl=0, attempt=0):
            party.gossip.receive(one, LAN, STRANGER, 2.0, WALL_S + 2.0)


def key(data: bytes) -> None:
    """identity.pem."""
    file = _folder / "identity.pem"
    file.write_bytes(data)
    file.chmod(0o600)
    with suppress(BlinkError):
        load_identity(file, None)


def devices(data: bytes) -> None:
    """devices.json."""
    (_folder / "devices.json").write_bytes(data)
    memory = DeviceMemory(Profile("anna", _folder, _folder))
    memory.chosen("input")
    memory.chosen("output")


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        *(
            datagram,
            envelope,
            signal,
            invitation,
            sdp,
            rtp,
            stun,
            red,
            rtcp,
            loss_report,
            opus,
            control,
            claim,
            endpoint,
            settings,
            contacts,
            key,
            devices,
            rtp_log,
            capture,
            boxes,
            recording,
            sidecar,
            json_text,
            path_text,
            clock_answers,
            greetings,
            version_word,
            channel_message,
        ),
    )
}

_TXT = (b"v=2", f"did={Party(1).did}".encode(), b"nick=anna", b"group=239.255.66.76:7667")
_CLAIM = b"\x1d\xf3\xc0\x00\x02\x07" + bytes(12) + b"".join(bytes([len(text)]) + text for text in _TXT)
_ROW = ",".join("1" for _ in COLUMNS)
_GREETING = write_datagrams(
    NEIGHBOUR_TOPIC, bytes(16), (GREETING + Party(1).identity.public_key + b"anna",), ttl=0, attempt=0
)


def _captures() -> list[bytes]:
    captured = (stream(1)[:8], [(START_NS, announcement()), *stream(2, Sending(loss=0.3))[:8]])
    return [make(_folder / "seed", one).read_bytes() for make in (pcap, pcapng) for one in captured]


def seeds_of(name: str) -> list[bytes]:
    """What a target begins with."""
    return _leftover(name) if name in {"boxes", "recording", "sidecar"} else SEEDS.get(name, [])


def _leftover(name: str) -> list[bytes]:
    senders = [Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True), Sender(BOB, 0, [Link(-9, 99, 2, 5)])]
    left = record(plan_for(_folder / "live", *senders), senders, duration_s=1.5)
    return [(left.paths.sidecar if name == "sidecar" else left.paths.part).read_bytes()]


SEEDS: dict[str, list[bytes]] = {
    "version_word": [b"\x03\x04\x01" + Party(1).identity.public_key + b"\x04anna"],
    "channel_message": [b"\x00" + bytes(16), b"\x01" + bytes(32) + b"\x00" + bytes(80), b"\x02" + bytes(150)],
    "datagram": [len(one).to_bytes(2, "big") + one for one in (*VALID, *_GREETING)],
    "sdp": [
        b"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 0.0.0.0\r\n"
    ],
    "control": [b'{"kind":"request","id":1,"request":{"type":"offer","peers":["bob"],"wait_s":1.5}}'],
    "claim": [_CLAIM],
    "endpoint": [
        b"[fe80::1%eth0]:7667",
        b"239.255.66.76:7667",
        b"headset?channel=2",
        b"file:a.wav?loop&ppm=3",
    ],
    "devices": [b'{"input":"headset","output":"null?ppm=5"}'],
    "rtp_log": [
        f"{','.join(COLUMNS)}\n{_ROW}\n".encode(),
        f"{';'.join(COLUMNS)}\r\n".encode("utf-16"),
        "\r\n".join((HEADER, *example_rows(), "")).encode(),
    ],
    "capture": _captures(),
    "settings": [b'nickname = "anna"\n[codec]\nfec = true\n[[ice_servers]]\nurl = "stun:192.0.2.1"\n'],
    "contacts": [
        b'{"version":1,"contacts":{"bob":"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"}}'
    ],
    "rtcp": [
        write_report(1, None, (), "name")
        + write_extended_report(
            1,
            [
                StatisticsSummary(7, 0, 9, 1, 0, 0, 960, 48, 100),
                VoipMetrics(
                    ssrc=7,
                    loss_rate=0.1,
                    discard_rate=0.0,
                    burst_density=0.5,
                    gap_density=0.0,
                    burst_duration_ms=60,
                    gap_duration_ms=900,
                    gmin_packets=16,
                ),
            ],
        )
    ],
    "rtp": [bytes([0x90, 0xEF]) + bytes(10) + b"\xbe\xde\x00\x01\x10\x85\x00\x00" + b"\x78payload"],
    "json_text": [b'{"path":"/tmp/d\\udce9p","files":["x",1.5,null,true]}'],
    "path_text": [b"/home/ann/d\xe9p\n\x1b[2J.csv"],
    "clock_answers": [bytes(range(6 + 48))],
    "greetings": [bytes(32) + b"anna"],
    "stun": [b"\x00\x06\x00\x09ours:them\x00\x00\x00\x00\x08\x00\x14" + bytes(20)],
    "red": [b"\xef\x0f\x00\x04\x6fabcdrest"],
}
