"""RTP values (RFC 3550).

The values are msgspec structs and not dataclasses because fifty of each are made every second for every peer.
"""

import msgspec

from blink_cli.core.audio_format import SILENCE_DBOV


class EncodedFrame(msgspec.Struct, frozen=True, gc=False):
    """One encoded frame of the source track, made once and sent to every peer."""

    payload: bytes
    """One Opus packet (RFC 6716)."""

    timestamp: int
    """RTP timestamp of its first sample, 0 to 2^32 - 1, at 48 kHz; the same for every peer."""

    duration_samples: int
    """How many samples at 48 kHz it lasts: 480, 960, 1920 or 2880."""

    audio_level_dbov: int = SILENCE_DBOV
    """Loudness of the frame from 0 (full scale) down to -127 (silence), RFC 6464."""

    voice: bool = False
    """Whether the voice activity detector heard speech: the V bit of RFC 6464."""

    talk_spurt_start: bool = False
    """The first frame after a pause of DTX or mute: the RTP marker bit (RFC 7587, section 4.1)."""

    copy: bytes = b""
    """The same frame at a lower bit rate, for copies of it in later packets; empty where nobody wants it, or it would not be shorter."""

    captured_at: float | None = None
    """Monotonic time at which its first sample was at the microphone, as far as the device knows; None where nobody knows."""

    missing_before: int = 0
    """Samples right before it of which nothing was captured: the timestamp jumped over them."""

    payload_with_dred: bytes | None = None
    """The same packet with what was said before it, at a few kb/s (DRED), for peers that agreed to it; None: there is none."""


class RtpPacket(msgspec.Struct, frozen=True, gc=False):
    """One received RTP packet: header and payload, decrypted, not yet believed."""

    ssrc: int
    sequence_number: int
    """0 to 65535, as on the wire."""

    timestamp: int
    """0 to 2^32 - 1, at 48 kHz."""

    payload_type: int
    marker: bool
    payload: bytes
    arrival_s: float
    """Monotonic time at which the datagram was read."""

    audio_level_dbov: int | None = None
    """The sender's RFC 6464 level, 0 down to -127; None when the packet carried none."""

    voice: bool = False
    retransmitted: bool = False
    """It came because it was asked for again (RFC 4588): its first sending was lost, or was too late for patience."""


class RepeatedPacket(msgspec.Struct, frozen=True, gc=False):
    """A copy of an RTP packet that had come before. SRTP refuses it unopened: nothing vouches for its header, and there is no payload."""

    ssrc: int
    sequence_number: int
    timestamp: int
    payload_type: int
    marker: bool
    payload_bytes: int
    """Length of the payload that it would have."""

    arrival_s: float
    audio_level_dbov: int | None = None
    voice: bool = False


class SentPacket(msgspec.Struct, frozen=True, gc=False):
    """What the RTP log says of a packet that went out."""

    ssrc: int
    sequence_number: int
    timestamp: int
    payload_type: int
    marker: bool
    payload_bytes: int
    audio_level_dbov: int
    voice: bool
    redundancy: int
    """How many earlier frames it carries as well."""

    sent_s: float
    """Monotonic."""

    payload: bytes = b""
    """Before SRTP; the RTP log keeps it where it was asked to."""

    retransmitted: bool = False
    """It goes again because it was asked for (RFC 4588); the numbers are those of the first time."""


class SenderReport(msgspec.Struct, frozen=True, gc=False):
    """What an RTCP sender report says of its stream's clock (RFC 3550, section 6.4.1)."""

    ssrc: int
    ntp_s: float
    """The sender's wall clock in seconds since 1900, fractional."""

    rtp_timestamp: int
    packet_count: int
    octet_count: int
    arrival_s: float


class ReceptionReport(msgspec.Struct, frozen=True, gc=False):
    """One report block about a stream, as its receiver sees it (RFC 3550, section 6.4.1), in plain units."""

    ssrc: int
    fraction_lost: float
    """Lost since the previous report, 0 to 1."""

    packets_lost: int
    """Cumulative, signed 24 bits."""

    highest_sequence: int
    """Extended highest sequence number received, 0 to 2^32 - 1."""

    jitter_s: float
    arrival_s: float
    rtt_s: float | None = None
    """Round trip computed from LSR and DLSR; None when the receiver had no sender report yet."""
