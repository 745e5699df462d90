"""Who is told what a participant's stream brings through a room."""

from typing import Protocol

from blink_cli.core.media.room_stream import RoomStream
from blink_cli.core.media.rtp import ReceptionReport, RtpPacket, SenderReport


class RoomListener(Protocol):
    """Of one participant. Called on the event loop, but for `play_from_room`; must be short."""

    def room_up(self, stream: RoomStream, now_s: float) -> None:
        """It is heard in the room from now on: by this, whenever it has a slot."""

    def room_down(self) -> None:
        """It is heard there no more."""

    def room_slot_given(self, *, talking: bool) -> None:
        """It has a slot; if it talks, what comes begins in the middle of a word whose beginning comes with it."""

    def room_slot_lost(self) -> None:
        """Nothing comes of it until it has a slot again; it does not talk."""

    def play_from_room(self, packet: RtpPacket) -> None:
        """An authentic packet as its sender made it, while it has a slot. On the thread that read its datagram, before the others are told; must not wait."""

    def heard_in_room(self, packet: RtpPacket) -> None:
        """A packet that is played was no duplicate: a little later."""

    def reported_in_room(self, report: SenderReport | ReceptionReport) -> None:
        """It says this of its clock, or of our stream."""
