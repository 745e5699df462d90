"""What a media link tells whoever made it."""

from typing import TYPE_CHECKING

from blink_cli.core.media.extended_report import ExtendedReport
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.rtp import ReceptionReport, RepeatedPacket, RtpPacket, SenderReport
from blink_cli.net.link_settings import LinkState

if TYPE_CHECKING:  # aiortc: who listens needs none
    from blink_cli.net.ice.ice_connection import Way

RtcpReport = SenderReport | ReceptionReport | LossReport | ExtendedReport
"""What the peer says: of its clock; of the stream that we send; how that one is lost, from peers that are blink too; how it is heard, from who was asked for it."""


class LinkEvents:
    """Hears nothing; a subclass overrides what it wants to hear. Called on the event loop; must be short."""

    __slots__ = ()

    def state_changed(self, state: LinkState) -> None:
        """The link's `state` is this one now."""

    def path_changed(self, left: "Way", taken: "Way") -> None:
        """Media take another way, the one that was left having fallen silent; the link stands as it did."""

    def packet_received(self, packet: RtpPacket) -> None:
        """An authentic packet, not a duplicate: it is in its buffer, which `PacketReceiving.hear` fills."""

    def packet_repeated(self, packet: RepeatedPacket) -> None:
        """A copy of a packet that had come before."""

    def reported(self, report: RtcpReport) -> None:
        """The peer's RTCP says this."""
