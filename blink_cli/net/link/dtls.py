"""DTLS of one link: aiortc's, which is told its role and gives its SRTP sessions away; the only module that touches aiortc's private names of it."""

from pylibsrtp import Session

from blink_cli.net.library_parts import RTCDtlsTransport
from blink_cli.net.link.header_encryption import encrypting_sessions


class DtlsTransport(RTCDtlsTransport):
    """Of one link. Its SRTP sessions are used without aiortc's coroutine around each packet."""

    def take_role(self, role: str) -> None:
        """Be the `client` or the `server`, as the descriptions agreed."""
        self._set_role(role)

    def srtp_sessions(self, encrypted_extension_id: int | None) -> tuple[Session, Session]:
        """Return the incoming and the outgoing SRTP session; once connected.

        Args:
            encrypted_extension_id: The RTP header extension whose value is encrypted (RFC 6904); None for none.

        """
        if encrypted_extension_id is not None:
            return encrypting_sessions(self, encrypted_extension_id)
        return self._rx_srtp, self._tx_srtp
