"""The frames of a capture file: pcap and pcapng, either byte order, any time resolution.

    pcap      | file header, 24 bytes | record header, 16 bytes | frame | record header | frame | …
    pcapng    | section | interface | packet | packet | interface | packet | …      blocks: type, length, body, length

Written with `struct`, since the two libraries for it (dpkt, python-pcapng) had their last releases in 2022, scapy is a program of its own under the GPL, and
bindings of libpcap need a C library that not every machine has. Every length is believed only as far as a frame may be long: so a hostile file costs no
more memory than one frame.

Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""

import struct
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from blink_cli.core.errors import BlinkError, NotFoundError, UsageError
from blink_cli.files.reading import open_reading

LONGEST_FRAME_BYTES: Final = 262_144
"""What no capturing program exceeds on networks (libpcap's and Wireshark's own limit)."""

MOST_INTERFACES: Final = 4_096
"""Of one section."""

_PROGRESS_FRAMES: Final = 2_000
_NS: Final = 1_000_000_000
_SIGNATURE_BYTES: Final = 24

_PCAP: Final = {  # first four bytes: byte order, units of a second, bytes of a record's header
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000, 16),
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000, 16),
    b"\x4d\x3c\xb2\xa1": ("<", _NS, 16),
    b"\xa1\xb2\x3c\x4d": (">", _NS, 16),
    b"\x34\xcd\xb2\xa1": ("<", 1_000_000, 24),  # of patched kernels, once
    b"\xa1\xb2\xcd\x34": (">", 1_000_000, 24),
}
_PCAPNG: Final = b"\x0a\x0d\x0d\x0a"

_OTHERS: Final = (
    (b"\x1f\x8b", "compressed by gzip", "`gunzip -k FILE` unpacks it."),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "`unzstd FILE` unpacks it."),
    (b"\x04\x22\x4d\x18", "compressed by LZ4", "`unlz4 FILE` unpacks it."),
    (b"BZh", "compressed by bzip2", "`bunzip2 -k FILE` unpacks it."),
    (b"\xfd7zXZ\x00", "compressed by xz", "`unxz -k FILE` unpacks it."),
    (b"PK\x03\x04", "a ZIP archive", "Unpack it first."),
    (b"snoop\x00\x00\x00", "a capture of snoop", "`editcap -F pcap FILE NEW.pcap` makes a pcap of it."),
    (b"GMBU", "a capture of Network Monitor", "`editcap -F pcap FILE NEW.pcap` makes a pcap of it."),
    (b"#!rtpplay", "a dump of rtptools", "`editcap -F pcap FILE NEW.pcap` makes a pcap of it."),
)

_SECTION: Final = 0x0A0D0D0A
_INTERFACE: Final = 1
_OLD_PACKET: Final = 2
_SIMPLE_PACKET: Final = 3
_PACKET: Final = 6
_OPTION_RESOLUTION: Final = 9
_OPTION_OFFSET: Final = 14
_LONGEST_BLOCK_BYTES: Final = 64 << 20
"""Of what is passed over; Wireshark reads none that is longer than 16 MiB."""

_LONGEST_BODY_BYTES: Final = LONGEST_FRAME_BYTES + 65_536
"""Of a packet, its options included."""

_TRAILER_BYTES: Final = 4


class CaptureFormat(StrEnum):
    """How a capture is stored."""

    PCAP = "pcap"
    PCAPNG = "pcapng"


class Frame(NamedTuple):
    """One captured frame."""

    number: int
    """In the file, from 1 on, as Wireshark shows it."""

    at_ns: int
    """Nanoseconds since 1970; 0 where the file says no time."""

    link_type: int
    """LINKTYPE_ value."""

    original_bytes: int
    """How long it was on the network."""

    data: bytes
    """What was captured of it."""


class _Interface(NamedTuple):
    link_type: int
    units_per_s: int
    offset_s: int
    snap_bytes: int


def is_capture(path: Path) -> bool:
    """Whether a file begins as a capture does, or as what captures are packed in.

    Raises:
        OSError: It cannot be read.

    """
    with open_reading(path) as file:
        begin = file.read(_SIGNATURE_BYTES)
    return begin[:4] in _PCAP or begin[:4] == _PCAPNG or any(begin.startswith(word) for word, _, _ in _OTHERS)


class CaptureReader:
    """Iterate over the frames of a capture, as often as is wanted."""

    def __init__(self, path: Path, progress: Callable[[float], None] = lambda _: None) -> None:
        """Read a file; it is opened by iterating. `progress` is told the part that is read, 0 to 1; what it raises ends the reading."""
        self.path = path
        self.format: CaptureFormat | None = None
        """Known once reading has begun."""

        self.frames = 0
        """Read so far."""

        self.damage: str | None = None
        """Why reading ended before the file did, as the end of a sentence; what came before is good."""

        self._progress = progress

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in the order of the file.

        Raises:
            NotFoundError: There is no such file.
            UsageError: It is no capture.
            BlinkError: It cannot be read.

        """
        self.frames, self.damage = 0, None
        try:
            with open_reading(self.path) as file:
                size = max(1, self.path.stat().st_size)
                for frame in self._frames(file):
                    self.frames += 1
                    if self.frames % _PROGRESS_FRAMES == 0:
                        self._progress(min(1.0, file.tell() / size))
                    yield frame
        except _DamagedError as damage:
            self.damage = str(damage)
        except FileNotFoundError as failure:
            raise NotFoundError(
                f"There is no {self.path}.", hint="Name a capture that tcpdump, dumpcap or Wireshark wrote."
            ) from failure
        except OSError as failure:
            raise BlinkError(f"{self.path} cannot be read: {failure.strerror or failure}.") from failure

    def _frames(self, file: BinaryIO) -> Iterator[Frame]:
        begin = file.read(_SIGNATURE_BYTES)
        if begin[:4] == _PCAPNG:
            self.format = CaptureFormat.PCAPNG
            file.seek(0)
            return _pcapng(file)
        kind = _PCAP.get(begin[:4])
        if kind is not None and len(begin) == _SIGNATURE_BYTES:
            self.format = CaptureFormat.PCAP
            return _pcap(file, begin, *kind)
        for word, what, remedy in _OTHERS:
            if begin.startswith(word):
                raise UsageError(f"{self.path} is {what}.", hint=remedy)
        raise UsageError(
            f"{self.path} is no capture.",
            hint="Captures of the formats pcap and pcapng are read, as tcpdump and Wireshark write them.",
        )


class _DamagedError(Exception):
    """The file cannot be followed any further."""


def _pcap(file: BinaryIO, begin: bytes, order: str, units_per_s: int, header_bytes: int) -> Iterator[Frame]:
    link_type = (
        struct.unpack_from(f"{order}I", begin, 20)[0] & 0xFFFF
    )  # above: whether frames end with a checksum
    header = struct.Struct(f"{order}IIII")
    unit_ns = _NS // units_per_s
    number = 0
    while head := file.read(header_bytes):
        number += 1
        if len(head) < header_bytes:
            raise _DamagedError(f"it ends within the header of frame {number}")
        second, fraction, captured, original = header.unpack_from(head)
        if captured > LONGEST_FRAME_BYTES:
            raise _DamagedError(f"frame {number} claims to be {captured} bytes long")
        data = file.read(captured)
        if len(data) < captured:
            raise _DamagedError(f"it ends within frame {number}")
        yield Frame(number, second * _NS + fraction * unit_ns, link_type, max(original, captured), data)


def _pcapng(file: BinaryIO) -> Iterator[Frame]:
    order = "<"
    interfaces: list[_Interface] = []
    number = 0
    while head := file.read(8):
        if len(head) < 8:
            raise _DamagedError("it ends within the header of a block")
        if head[:4] == _PCAPNG:
            order = _section(file, head)
            interfaces = []
            continue
        kind, length = struct.unpack(f"{order}II", head)
        if length < 12 or length > _LONGEST_BLOCK_BYTES:
            raise _DamagedError(f"a block behind frame {number} claims to be {length} bytes long")
        rest = length - 8 + (-length % 4)
        if kind not in (_INTERFACE, _PACKET, _SIMPLE_PACKET, _OLD_PACKET):
            file.seek(rest, 1)
            continue
        if rest > _LONGEST_BODY_BYTES:
            raise _DamagedError(f"a block behind frame {number} claims to be {length} bytes long")
        body = file.read(rest)
        if len(body) < rest:
            raise _DamagedError(f"it ends within a block behind frame {number}")
        body = body[:-_TRAILER_BYTES]
        if kind == _INTERFACE:
            if len(interfaces) == MOST_INTERFACES:
                raise _DamagedError(f"it has more than {MOST_INTERFACES} interfaces")
            interfaces.append(_interface(body, order))
            continue
        number += 1
        yield _packet(kind, body, order, interfaces, number)


def _section(file: BinaryIO, head: bytes) -> str:
    magic = file.read(4)
    order = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(magic)
    if order is None:
        raise _DamagedError("a section has no byte order")
    length: int = struct.unpack_from(f"{order}I", head, 4)[0]
    if not 28 <= length <= _LONGEST_BLOCK_BYTES:
        raise _DamagedError(f"a section's header claims to be {length} bytes long")
    file.seek(length - 12 + (-length % 4), 1)
    return order


def _interface(body: bytes, order: str) -> _Interface:
    if len(body) < 8:
        raise _DamagedError("an interface is cut off")
    link_type, _, snap_bytes = struct.unpack_from(f"{order}HHI", body)
    units_per_s, offset_s = 1_000_000, 0
    position = 8
    while position + 4 <= len(body):
        code, length = struct.unpack_from(f"{order}HH", body, position)
        value = body[position + 4 : position + 4 + length]
        if code == 0:
            break
        if code == _OPTION_RESOLUTION and len(value) == 1:
            exponent = value[0] & 0x7F
            units_per_s = 1 << exponent if value[0] > 0x7F else 10 ** min(exponent, 19)
        elif code == _OPTION_OFFSET and len(value) == 8:
            offset_s = struct.unpack(f"{order}q", value)[0]
        position += 4 + length + (-length % 4)
    return _Interface(link_type, units_per_s, offset_s, snap_bytes)


def _packet(kind: int, body: bytes, order: str, interfaces: list[_Interface], number: int) -> Frame:
    begin = 4 if kind == _SIMPLE_PACKET else 20
    if len(body) < begin:
        raise _DamagedError(f"frame {number} is cut off")
    at = index = 0
    if kind == _SIMPLE_PACKET:
        original: int = struct.unpack_from(f"{order}I", body)[0]
        captured = min(original, len(body) - begin)
    elif kind == _PACKET:
        index, high, low, captured, original = struct.unpack_from(f"{order}IIIII", body)
        at = high << 32 | low
    else:
        index, _, high, low, captured, original = struct.unpack_from(f"{order}HHIIII", body)
        at = high << 32 | low
    if index >= len(interfaces):
        raise _DamagedError(f"frame {number} is of an interface that the file does not describe")
    interface = interfaces[index]
    if kind == _SIMPLE_PACKET and interface.snap_bytes:
        captured = min(captured, interface.snap_bytes)
    if captured > min(LONGEST_FRAME_BYTES, len(body) - begin):
        raise _DamagedError(f"frame {number} claims to be {captured} bytes long")
    at_ns = 0
    if kind != _SIMPLE_PACKET:
        seconds, units = divmod(at, interface.units_per_s)
        at_ns = (seconds + interface.offset_s) * _NS + units * _NS // interface.units_per_s
    return Frame(number, at_ns, interface.link_type, max(original, captured), body[begin : begin + captured])
