"""What an analysis says of a foreign capture. `rtp-analyze FILE.pcap --json` prints it as it stands, with `schema`.

A figure that cannot be had is None. `inbound` of a stream is what an RTP log's analysis says too (`figures.py`).
"""

import msgspec

from blink_cli.core.analysis.figures import InboundFigures, ReportedFigures
from blink_cli.core.analysis.wireshark_table import WiresharkFigures


class PayloadTypeFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One payload type of a stream."""

    payload_type: int
    packets: int
    codec: str | None
    """`opus`, `red`, `PCMU` and the like; None where nothing tells."""

    clock_rate_hz: int | None
    known_by: str | None
    """option: --payload-type said so; sdp: a description in the capture; number: it is a fixed one (RFC 3551); payload: its packets look like it; clock: its time runs at this
    rate, and nothing tells the codec."""


class SenderClockFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the sender reports say of the sender's clock (RFC 3550, section 6.4.1)."""

    reports: int
    began_at: str
    """The sender's wall clock at the first sample of the stream's first packet, ISO 8601: streams of one sender lie on each other by it (lip synchronisation)."""


class CaptureStream(msgspec.Struct, frozen=True, kw_only=True):
    """One stream: one SSRC from one address and port to another."""

    source: str
    """ADDRESS:PORT"""

    target: str
    ssrc: int
    payload_types: tuple[PayloadTypeFigures, ...]
    encrypted: bool
    """Whether payloads look encrypted (SRTP): figures are of clear headers, and there is no track."""

    packets_cut_off: int
    """Whose payload the capture does not hold whole."""

    inbound: InboundFigures
    reported: ReportedFigures | None
    """What its receiver reported of it. `inbound.round_trip` is from where it was captured to that receiver and back."""

    sender_clock: SenderClockFigures | None
    retransmits: int | None = None
    """The SSRC of the stream whose packets go again in this one (RFC 4588), as their timestamps show, encrypted or not; they are `inbound.packets_retransmitted` of that one. Its own
    jitter and skew mean nothing."""

    tshark_4_0: WiresharkFigures
    """The same as tshark 4.0 counts it, which is not always the same."""

    tshark_4_4: WiresharkFigures
    """As tshark 4.4 does, which is another thing where packets overtake each other."""

    track: str | None = None
    """The sound file that `--tracks` made of it."""


class LeftOutFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Frames that are not RTP of a stream, by what they are."""

    other_link: int
    """Of links that are not read here."""

    not_ip: int
    not_udp: int
    fragments: int
    """Of IP packets; they are not put together."""

    cut_off: int
    rtcp: int
    unproved: int
    """What looks like RTP, but no two packets of it followed each other between the same sockets; and packets of `streams_omitted`."""

    other_udp: int


class RtpCaptureFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A whole capture."""

    path: str
    format: str
    """pcap or pcapng"""

    begun: str | None
    """Time of its first frame, ISO 8601, UTC."""

    duration_s: float
    """From its first frame to its last."""

    frames: int
    damage: str | None
    """Why it was not read to its end."""

    left_out: LeftOutFigures
    streams: tuple[CaptureStream, ...]
    streams_omitted: int
    """That there were besides: a capture that holds thousands is told in part."""

    tshark: str | None
    """The command by which tshark shows the same streams."""

    tracks: tuple[str, ...] = ()
    """Files that `--tracks` made."""
