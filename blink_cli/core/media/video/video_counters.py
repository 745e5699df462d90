"""What is counted of pictures that go out and come in, with the names of W3C's outbound-rtp and inbound-rtp."""

from dataclasses import dataclass


@dataclass(slots=True)
class VideoSendCounters:
    """Of all links to one participant. Belongs to the event loop."""

    frames_sent: int = 0
    key_frames_sent: int = 0
    frames_held_back: int = 0
    """Pictures that were not encoded for this link's sake: what was sent before had not left yet."""

    packets_sent: int = 0
    bytes_sent: int = 0
    """Payload octets, those of packets that went again included, as W3C counts them."""

    header_bytes_sent: int = 0
    retransmitted_packets_sent: int = 0
    retransmitted_bytes_sent: int = 0
    packets_discarded: int = 0
    """The system did not take them, or the queue was full."""

    nack_count: int = 0
    pli_count: int = 0
    fir_count: int = 0


@dataclass(slots=True)
class VideoReceiveCounters:
    """Of all links to one participant. Belongs to the event loop."""

    packets_received: int = 0
    bytes_received: int = 0
    header_bytes_received: int = 0
    retransmitted_packets_received: int = 0
    retransmissions_unneeded: int = 0
    packets_malformed: int = 0
    frames_received: int = 0
    """Complete ones."""

    key_frames_received: int = 0
    frames_dropped: int = 0
    """Complete ones that were not decoded, as one that they need did not come, and those that found no room."""

    nack_count: int = 0
    packets_requested: int = 0
    pli_count: int = 0
