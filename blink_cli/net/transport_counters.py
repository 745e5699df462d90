"""What one link's transport refused, and why."""

from dataclasses import dataclass


@dataclass(slots=True)
class TransportCounters:
    """Datagrams that were refused, by reason."""

    datagrams_malformed: int = 0
    """Neither STUN nor DTLS nor SRTP, or broken."""

    datagrams_unauthenticated: int = 0
    """SRTP or SRTCP with a wrong tag, or older than the replay window."""

    datagrams_overflowed: int = 0
    """Came faster than the handshake could take them."""

    stun_refused: int = 0
    """STUN that is no check of this peer's and no answer to one of ours, or was recorded."""

    dtls_refused: int = 0
    """DTLS from where the peer has not proved to be."""

    srtp_refused: int = 0
    """SRTP or SRTCP of a source beyond those that may be, or recorded, or early, from where the peer has not proved to be."""

    packets_discarded_on_send: int = 0
    """Not taken by the operating system (W3C `packetsDiscardedOnSend`)."""
