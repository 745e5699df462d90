"""What goes out over a link: frames as they are encoded, and once more what the peer asks for.

    [voice thread] frame ----> RtpSender: RED, header --> SecureTransport: libsrtp, socket
    [event loop]   request --> what was sent lately ------'

A frame is sent by the thread that has encoded it: to hand it over would wake another one fifty times a second, and lose the time that takes.
"""

import threading
import time
from collections.abc import Sequence
from typing import Final

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.rtp import EncodedFrame, SentPacket
from blink_cli.core.media.rtp_sender import RtpSender
from blink_cli.core.media.sent_packets import SentPackets
from blink_cli.core.media.voice_sent import VoiceSent
from blink_cli.net.link.secure_transport import SecureTransport


class FrameSending:
    """Of one link. `send` may be called by any thread, everything else belongs to the event loop."""

    def __init__(self, sender: RtpSender, transport: SecureTransport, *, keeps_sealed: bool) -> None:
        """Send nothing before `open`.

        Args:
            sender: Makes the packets.
            transport: Takes them.
            keeps_sealed: Whether packets go again as they were, because no stream for it was agreed (RFC 4588).

        """
        self.sender: Final = sender
        self.held: Final = threading.Lock()
        """Held while a packet is made and sent: a few microseconds. To be held too by whoever reads the sender's clock."""

        self.answers_requests = True
        """Whether packets go again that the peer asks for."""

        self._transport = transport
        self._is_open = False
        self._last: tuple[float, int, float] | None = None
        """Of the newest frame: when it left, its octets of RTP, and how long it lasts."""

        self._sealed: SentPackets[tuple[bytes, int]] | None = SentPackets() if keeps_sealed else None
        """What goes again as it was, with its octets of payload."""

    def open(self) -> None:
        """Send from the next frame on: the link stands."""
        self._is_open = True

    def close(self) -> None:
        """Send nothing more; when this returns no frame is on its way."""
        with self.held:
            self._is_open = False

    def send(self, frame: EncodedFrame) -> SentPacket | None:
        """Send one frame now: no task, no waiting, no encoder. Returns what went out; None when nothing did."""
        with self.held:
            if not self._is_open:
                return None
            sender = self.sender
            made = sender.packet(frame, time.monotonic())
            if made is None:
                return None
            packet, told = made
            sealed = self._transport.seal(packet)
            if sealed is None or not self._transport.send_sealed(sealed):
                sender.discarded()
                return None
            sender.went_out(frame, told)
            for again in sender.unasked():
                self._transport.send_rtp(again)
            self._last = (told.sent_s, len(packet), frame.duration_samples / SAMPLE_RATE_HZ)
            if self._sealed is not None:
                self._sealed.sent(
                    told.sequence_number, (sealed, told.payload_bytes), told.payload_bytes, told.sent_s
                )
            return told

    @property
    def voice_sent(self) -> VoiceSent | None:
        """What went out by now; None before the first frame. Any thread."""
        last, counters = self._last, self.sender.counters
        if last is None:
            return None
        last_at, last_bytes, every_s = last
        return VoiceSent(
            last_at,
            last_bytes,
            every_s,
            counters.packets_sent + counters.retransmitted_packets_sent,
            counters.bytes_sent + counters.header_bytes_sent + counters.retransmitted_bytes_sent,
        )

    def send_again(self, sequence_numbers: Sequence[int], now_s: float) -> None:
        """Send packets again that the peer misses."""
        with self.held:
            if not self._is_open or not self.answers_requests:
                return
            for packet in self.sender.asked_for(sequence_numbers, now_s):
                self._transport.send_rtp(packet)
            if self._sealed is not None:
                for _, (datagram, payload_bytes) in self._sealed.asked_for(sequence_numbers, now_s):
                    if self._transport.send_sealed(datagram):
                        self.sender.sent_as_it_was(payload_bytes)
