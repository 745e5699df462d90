"""The pictures of one link: agreed on while it stands, sent and received beside its voice, over the same transport.

    offer --APP packet--> answer            either side, at any time; once in a link's life
    CodedPicture --> VideoSender --> queue --> SRTP --> socket
    SRTP --> VideoReceiver --> CodedPicture --> whoever decodes it
    feedback --> RateController --> how much may be sent

Made when somebody wants pictures first: a link that carries a voice alone imports nothing of this. Belongs to the event loop.
"""

import math
import random
import secrets
import time
from typing import Final, Literal

from blink_cli.core.errors import WireError
from blink_cli.core.media import rtx
from blink_cli.core.media.rtcp import (
    SenderInfo,
    ntp_timestamp,
    parse_rtcp,
    write_report,
    write_retransmission_request,
)
from blink_cli.core.media.rtp import ReceptionReport, SenderReport, SentPacket
from blink_cli.core.media.sent_reports import SentReports, in_plain_units
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.picture_requests import write_picture_loss
from blink_cli.core.media.video.rate_controller import RateController
from blink_cli.core.media.video.round_trips import RoundTrips
from blink_cli.core.media.video.sent_history import SentHistory
from blink_cli.core.media.video.video_counters import VideoReceiveCounters, VideoSendCounters
from blink_cli.core.media.video.video_format import (
    OFFERED,
    OFFERED_IN_ROOMS,
    VIDEO_CLOCK_HZ,
    VideoFormat,
    VideoSources,
)
from blink_cli.core.media.video.video_receiver import Unseal, VideoReceiver
from blink_cli.core.media.video.video_sender import LeavingPacket, Seal, VideoSender
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.core.media.video_feedback import FeedbackKind, VideoFeedback
from blink_cli.net.link.video_description import (
    VIDEO_MID,
    VideoSection,
    agreed_section,
    read_section,
    write_section,
)
from blink_cli.net.link.video_doors import VideoDoors
from blink_cli.net.link.video_events import VideoEvents
from blink_cli.net.link.video_messages import (
    ANSWER,
    OFFER,
    VideoMessage,
    read_video_message,
    write_video_message,
)
from blink_cli.net.link.video_rtcp import read_video_rtcp
from blink_cli.runtime.wake_timer import WakeTimer

OFFER_AGAIN_S: Final = (0.1, 0.15, 0.3, 0.6, 1.0, 2.0, 2.0)
"""After these an offer without an answer is said again; after the last one the other side is taken to know no video."""

REPORT_EVERY_S: Final = 1.0
FIRST_REPORT_S: Final = 0.2
"""Early: until a sender report has come nobody can bring pictures and voice together."""

_NO_SOURCES: Final = VideoSources(0)
"""Of who sends nothing."""

VideoState = Literal["idle", "offered", "agreed", "refused"]


class LinkVideo:
    """Of one link, once in its life."""

    def __init__(
        self,
        doors: VideoDoors,
        events: VideoEvents,
        *,
        sent: VideoSendCounters,
        received: VideoReceiveCounters,
        seal: Seal | None = None,
        unseal: Unseal | None = None,
    ) -> None:
        """Have agreed on nothing.

        Args:
            doors: The link's.
            events: Told what happens.
            sent: Go on being counted, over all links to this peer.
            received: Likewise.
            seal: Makes the payload of each packet, where others pass it on; None: payloads go as they are.
            unseal: Takes payloads apart, likewise.

        """
        self.state: VideoState = "idle"
        self.rate = RateController()
        self.rtt_s: float | None = None
        """The round trip by the last report on our pictures; None before the first."""

        self.remote: ReceptionReport | None = None
        """The peer's last word on how our pictures arrive."""

        self.clock_of_peer: SenderReport | None = None
        """The peer's last word on which wall clock time an RTP timestamp of its pictures is."""

        self._doors = doors
        self._events = events
        self._sent_counters, self._received_counters = sent, received
        self._seal, self._unseal = seal, unseal
        ssrc = secrets.randbits(32)
        self._sources = VideoSources(ssrc, ssrc ^ 1)
        self._offer_number = 0
        self._offered: VideoSection | None = None
        self._offers_left: list[float] = []
        self._offer_at = math.inf
        self._answer: tuple[int, str] | None = None
        self._sender: VideoSender | None = None
        self._receiver: VideoReceiver | None = None
        self._history = SentHistory()
        self._round_trips = RoundTrips()
        self._reports = SentReports(VIDEO_CLOCK_HZ)
        self._report_at = math.inf
        self._fir_number: int | None = None
        self._timer = WakeTimer(self._woken)
        self._closed = False

    # agreeing

    @property
    def wanted(self) -> VideoFormat:
        """What we offer."""
        return OFFERED if self._seal is None and self._unseal is None else OFFERED_IN_ROOMS

    def takes(self, codec: VideoCodec, width: int, height: int, fps: float) -> bool:
        """Whether pictures of this size, so encoded, may be sent so often."""
        agreed = None if self._sender is None else self._sender.media.of(codec)
        return agreed is not None and agreed.takes(width, height, fps)

    def offer(self) -> None:
        """Offer pictures to the other side, over the link; nothing happens if that was done, or an answer is known."""
        if self.state != "idle":
            return
        self._offer_number = (self._offer_number + 1) & 0xFF
        self.offer_section()
        self._offers_left = list(OFFER_AGAIN_S)
        self._offer_at = time.monotonic()
        self._woken()

    def offer_section(self, direction: str = "sendrecv") -> str:
        """Our offer as text, for a browser or a server, which is told by a whole description."""
        self.state = "offered"
        self._offered = VideoSection(VIDEO_MID, self.wanted, self._sources, direction)
        return write_section(self._offered, cname=self._doors.cname)

    def accept_section(self, text: str) -> None:
        """Take the answer to our offer.

        Raises:
            WireError: It is not one to our offer.

        """
        offered = self._offered
        if self.state != "offered" or offered is None or offered.format is None:
            return
        answer = read_section(text)
        if answer.format is None or (answer.sources is None and answer.sends):
            self._refuse()
            return
        media = answer.format
        for one in media.codecs:
            ours = offered.format.of(one.codec)
            if ours is None or one.payload_type != ours.payload_type or one.rtx not in (None, ours.rtx):
                raise WireError("the video answer uses payload types that were not offered")
        if media.transport_sequence_id not in (None, offered.format.transport_sequence_id):
            raise WireError("the video answer uses a header extension that was not offered")
        self._agree(media, answer.sources or _NO_SOURCES)

    def answer_section(self, text: str) -> str:
        """Our answer to the other side's offer.

        Raises:
            WireError: It is not one that we can read.

        """
        offer = read_section(text)
        agreed = agreed_section(offer, self.wanted, self._sources)
        if agreed.format is not None and offer.sources is not None:
            self._agree(agreed.format, offer.sources)
        elif agreed.format is not None:
            agreed = VideoSection(offer.mid, None)  # streams that are not announced are not told from others
        if self.state != "agreed":
            self._refuse()
        return write_section(agreed, cname=self._doors.cname)

    def message(self, rtcp: bytes) -> None:
        """Take the other side's word, which came over the link.

        Raises:
            WireError: It cannot be read.

        """
        message = read_video_message(rtcp)
        if message.kind == ANSWER:
            if message.number == self._offer_number:
                self.accept_section(message.section)
            return
        if self.state == "offered" and self._doors.is_offerer:
            return  # both offered at once, and ours counts
        if self._answer is None or self._answer[0] != message.number:
            self._answer = (message.number, self.answer_section(message.section))
        answer = VideoMessage(ANSWER, message.number, self._answer[1])
        self._doors.send_rtcp(write_video_message(self._doors.voice_ssrc, answer))

    def _agree(self, media: VideoFormat, theirs: VideoSources) -> None:
        if self.state == "agreed" or self._closed:
            return
        self.state = "agreed"
        self._offer_at = math.inf
        self._doors.expect(theirs.ssrcs)
        self._sender = VideoSender(
            self._sources,
            media,
            self._sent_counters,
            first_sequence_number=secrets.randbelow(0x8000),
            first_rtx_number=secrets.randbelow(0x8000),
            target_bps=self.rate.target_bps,
            seal=self._seal,
        )
        self._receiver = VideoReceiver(theirs, media, self._received_counters, self._unseal)
        self._report_at = time.monotonic() + FIRST_REPORT_S
        self._set_timer()
        self._events.video_agreed()

    def _refuse(self) -> None:
        if self.state not in ("agreed", "refused"):
            self.state = "refused"
            self._offer_at = math.inf
            self._events.video_refused()

    # pictures out

    @property
    def backlog_s(self) -> float:
        """How long what waits takes to leave."""
        return 0.0 if self._sender is None else self._sender.backlog_s

    def send(self, picture: CodedPicture) -> None:
        """Send one frame to this peer, spread over time; one before there is an agreement is dropped."""
        if self._sender is not None and not self._closed:
            now_s = time.monotonic()
            self._sender.frame(picture, now_s)
            self._send_due(now_s)
            self._set_timer()

    def encoder_bps(self) -> float:
        """How much new pictures may take of what may be sent."""
        return self.rate.target_bps if self._sender is None else self._sender.encoder_bps(time.monotonic())

    def _send_due(self, now_s: float) -> None:
        sender = self._sender
        if sender is None or not sender.waits:
            return
        voice = self._doors.voice_sent()
        if voice is not None:
            sender.voice_sent(voice)
        for leaving in sender.leaving(now_s):
            if self._doors.send_rtp(leaving.data):
                if leaving.transport_sequence is not None:
                    self._history.sent(leaving.transport_sequence, leaving.packet.line_bytes, now_s)
                self._events.video_packet_sent(_told(leaving, sender, now_s))
            else:
                self._sent_counters.packets_discarded += 1

    # pictures in

    def rtp_received(self, data: bytes, arrival_s: float) -> None:
        """Take one decrypted packet of a stream that `expect` was told."""
        receiver = self._receiver
        if receiver is None or self._closed:
            return
        found = receiver.packet(data, arrival_s)
        if found is None:
            return
        packet, frames = found
        for frame in frames:
            self._events.frame_received(frame)
        self._events.video_packet_received(packet)
        if receiver.inner_reports:
            self._inner_reports(receiver, arrival_s)
        self._set_timer()

    def _inner_reports(self, receiver: VideoReceiver, arrival_s: float) -> None:
        """What the peer says of its clock inside of what is sealed."""
        reports, receiver.inner_reports = receiver.inner_reports, []
        for rtcp in reports:
            try:
                senders = parse_rtcp(rtcp).senders
            except WireError:
                self._received_counters.packets_malformed += 1
                continue
            for info in senders:
                self.clock_of_peer = in_plain_units(info, arrival_s)
                self._events.video_reported(self.clock_of_peer)

    def lost_reference(self) -> None:
        """Ask for a key frame: the decoder cannot go on, or frames were thrown away."""
        if self._receiver is not None:
            self._receiver.lost_reference(time.monotonic())
            self._woken()

    @property
    def reception(self) -> VideoReceiver | None:
        """What came; None before there is an agreement."""
        return self._receiver

    # RTCP

    def rtcp_received(self, data: bytes, arrival_s: float) -> bool:
        """Take a compound packet. Returns whether nobody else need see it: it was sent for the peer's pictures."""
        receiver, sender = self._receiver, self._sender
        if receiver is None or sender is None or self._closed:
            return False
        try:
            found = read_video_rtcp(data, sender.sources.ssrc, receiver.sources.ssrc)
        except WireError:
            self._received_counters.packets_malformed += 1
            return False
        now_s = time.monotonic()
        counters = self._sent_counters
        for info in found.senders:
            receiver.sender_reported(info.ntp_timestamp, arrival_s)
            if self._unseal is not None:
                continue  # it is the clock of what passes the stream on
            self.clock_of_peer = in_plain_units(info, arrival_s)
            self._events.video_reported(self.clock_of_peer)
        for block in found.blocks:
            self.remote = self._reports.answered(block, arrival_s)
            if self.remote.rtt_s is not None:
                self.rtt_s = self.remote.rtt_s
                self._round_trips.told(self.remote.rtt_s)
            self._events.video_reported(self.remote)
        for numbers in found.missing:
            counters.nack_count += 1
            self._asked(FeedbackKind.NACK, arrival_s, len(numbers))
            sender.asked_for(numbers, now_s, self._round_trip_s)
        for kind, number in found.key_frames:
            self._key_frame_asked(kind, number, arrival_s)
        for feedback in found.feedbacks:
            rate = self.rate
            rate.rtt_s, rate.voice_bps = self._round_trip_s, sender.voice_bps
            rate.on_feedback(self._history.results(feedback), now_s)
            sender.set_target(rate.target_bps, rate.capacity_bps, rate.capacity_at_least_bps)
        self._send_due(now_s)
        self._set_timer()
        return int.from_bytes(data[4:8], "big") in receiver.sources.ssrcs

    def _key_frame_asked(self, kind: str, number: int, arrival_s: float) -> None:
        if kind == "pli":
            self._sent_counters.pli_count += 1
            self._asked(FeedbackKind.PLI, arrival_s)
        else:
            if number == self._fir_number:  # the same wish, said again (RFC 5104, section 4.3.1.2)
                return
            self._fir_number = number
            self._sent_counters.fir_count += 1
            self._asked(FeedbackKind.FIR, arrival_s)
        self._events.key_frame_wanted()

    def _asked(self, kind: FeedbackKind, arrival_s: float, packets: int = 0) -> None:
        """The peer asks for something of our stream."""
        feedback = VideoFeedback(kind, self._sources.ssrc, is_ours=False, at_s=arrival_s, packets=packets)
        self._events.video_feedback(feedback)

    @property
    def _round_trip_s(self) -> float | None:
        usual_s = self._round_trips.usual_s
        return self._doors.rtt_s() if usual_s is None else usual_s

    # time

    def _woken(self) -> None:
        if self._closed:
            return
        now_s = time.monotonic()
        if now_s >= self._offer_at:
            self._say_offer(now_s)
        self._send_due(now_s)
        self._ask(now_s)
        if now_s >= self._report_at:
            self._report(now_s)
        self._set_timer()

    def _set_timer(self) -> None:
        now_s = time.monotonic()
        sender, receiver = self._sender, self._receiver
        due = min(
            self._offer_at,
            self._report_at,
            math.inf if sender is None else sender.next_at(now_s),
            math.inf if receiver is None else receiver.next_at,
        )
        self._timer.set(None if due == math.inf or self._closed else due)

    def _say_offer(self, now_s: float) -> None:
        offered = self._offered
        if offered is None or not self._offers_left:
            self._refuse()
            return
        message = VideoMessage(OFFER, self._offer_number, write_section(offered, cname=self._doors.cname))
        self._doors.send_rtcp(write_video_message(self._doors.voice_ssrc, message))
        self._offer_at = now_s + self._offers_left.pop(0)

    def _ask(self, now_s: float) -> None:
        receiver = self._receiver
        if receiver is None or receiver.next_at > now_s:
            return
        ssrc, theirs = self._sources.ssrc, receiver.sources.ssrc
        receiver.look(now_s, self._round_trip_s)
        missing = receiver.requests(now_s)
        if missing:
            self._doors.send_rtcp(write_retransmission_request(ssrc, theirs, missing))
            nack = VideoFeedback(FeedbackKind.NACK, theirs, is_ours=True, at_s=now_s, packets=len(missing))
            self._events.video_feedback(nack)
        if receiver.wish.asks(now_s, self._round_trip_s):
            self._received_counters.pli_count += 1
            self._doors.send_rtcp(write_picture_loss(ssrc, theirs))
            self._events.video_feedback(VideoFeedback(FeedbackKind.PLI, theirs, is_ours=True, at_s=now_s))
        feedback = receiver.feedback(now_s, ssrc)
        if feedback is not None:
            self._doors.send_rtcp(feedback)

    def _report(self, now_s: float) -> None:
        sender, receiver = self._sender, self._receiver
        assert sender is not None, "reports follow the agreement"
        assert receiver is not None, "reports follow the agreement"
        self._report_at = now_s + REPORT_EVERY_S * random.uniform(0.75, 1.25)
        rtp_now = sender.rtp_now(now_s)
        info: SenderInfo | None = None
        if rtp_now is not None and sender.packets_of_stream:
            ntp = ntp_timestamp(now_s + self._doors.wall_offset_s)
            info = SenderInfo(
                self._sources.ssrc, ntp, rtp_now, sender.packets_of_stream, sender.bytes_of_stream
            )
            self._reports.add(ntp, now_s)
            if self._seal is not None:
                sender.report(write_report(self._sources.ssrc, info, (), self._doors.cname), now_s)
        blocks = receiver.report_blocks(now_s)
        if info is not None or blocks:
            self._doors.send_rtcp(write_report(self._sources.ssrc, info, blocks, self._doors.cname))

    def close(self) -> None:
        """Do nothing any more."""
        self._closed = True
        self._timer.cancel()


def _told(leaving: LeavingPacket, sender: VideoSender, now_s: float) -> SentPacket:
    """A packet as it would be logged; one that goes again with its first numbers, as a received one has them."""
    packet = leaving.packet
    ssrc, number, payload_type, payload = (
        packet.ssrc,
        packet.sequence_number,
        packet.payload_type,
        packet.payload,
    )
    if packet.again:
        number, payload = rtx.unpack(payload)
        repaired = sender.media.repaired_by(payload_type)
        assert repaired is not None, "packets go again by types that were agreed on"
        ssrc, payload_type = sender.sources.ssrc, repaired.payload_type
    if packet.bare is not None:
        payload = packet.bare
    return SentPacket(
        ssrc,
        number,
        packet.timestamp,
        payload_type,
        packet.marker,
        len(payload),
        0,
        voice=False,
        redundancy=0,
        sent_s=now_s,
        payload=payload,
        retransmitted=packet.again,
    )
