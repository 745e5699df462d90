"""The pictures of one link in virtual time: what `LinkVideo` does, without the agreement, SRTP and the event loop.

CodedPicture --> VideoSender, in the voice's gaps --> line      line --> VideoReceiver --> CodedPicture
^--- RateController, requests <-- line         feedback, requests, reports --> line
"""

import random
from collections.abc import Callable
from typing import Final, Protocol

from blink_cli.core.media.rtcp import (
    SenderInfo,
    ntp_timestamp,
    write_report,
    write_retransmission_request,
)
from blink_cli.core.media.rtp import SenderReport
from blink_cli.core.media.sent_reports import SentReports, in_plain_units
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.picture_requests import write_picture_loss
from blink_cli.core.media.video.rate_controller import RateController
from blink_cli.core.media.video.round_trips import RoundTrips
from blink_cli.core.media.video.sent_history import SentHistory
from blink_cli.core.media.video.video_counters import VideoReceiveCounters, VideoSendCounters
from blink_cli.core.media.video.video_format import OFFERED, VIDEO_CLOCK_HZ, VideoSources
from blink_cli.core.media.video.video_receiver import VideoReceiver
from blink_cli.core.media.video.video_sender import VideoSender
from blink_cli.core.media.voice_sent import VoiceSent
from blink_cli.lab.virtual.link_end import WALL_S
from blink_cli.net.link.link_video import FIRST_REPORT_S, REPORT_EVERY_S
from blink_cli.net.link.video_rtcp import read_video_rtcp

TIMER_LATE_S: Final = 0.0005
"""By how much an event loop's timer is late at least."""

WAKING_S: Final = 0.0003
"""Mean of an exponential: how much later than that a thread of an idle machine wakes and sends."""


class PictureLine(Protocol):
    """What carries the pictures of a link to the other end, beside its voice."""

    def send_picture(self, data: bytes, now: float) -> None:
        """Take a packet of pictures, for the first time or again."""

    def send_rtcp(self, data: bytes, now: float) -> None:
        """Take a report or a request."""


class PictureEnd:
    """One end, which sends and receives. Made when a link comes to stand, and left when it goes."""

    def __init__(
        self,
        line: PictureLine,
        own: VideoSources,
        theirs: VideoSources,
        rng: random.Random,
        now_s: float,
        *,
        voice_sent: Callable[[], VoiceSent | None],
        rtt_s: Callable[[], float | None],
        sent: VideoSendCounters,
        received: VideoReceiveCounters,
    ) -> None:
        """Have both sides ready for pictures.

        Args:
            line: Takes what is sent.
            own: The streams of this end.
            theirs: Of the other one.
            rng: Of first numbers, of the spread of reports, and of how late this machine wakes.
            now_s: When the link stands.
            voice_sent: Tells what went out of the voice beside them.
            rtt_s: Tells the round trip as the voice knows it, until the reports on pictures do.
            sent: Go on being counted.
            received: Likewise.

        """
        self.sent_counters, self.received_counters = sent, received
        self.rate = RateController()
        self.key_frame_wanted = False
        """The other end asked for a key frame; whoever makes it sets it back."""

        self.clock_of_peer: list[SenderReport] = []
        """What the peer said of its clock since this was looked at; whoever takes it sets it back."""

        self._line = line
        self._rng = rng
        self._voice_sent = voice_sent
        self._voice_rtt_s = rtt_s
        self._round_trips = RoundTrips()
        self._cname = f"{rng.randrange(1 << 32):08x}"
        self._sources = own
        self.sender = VideoSender(
            own,
            OFFERED,
            sent,
            first_sequence_number=rng.randrange(1 << 15),
            first_rtx_number=rng.randrange(1 << 15),
            target_bps=self.rate.target_bps,
        )
        self.receiver = VideoReceiver(theirs, OFFERED, received)
        self._history = SentHistory()
        self._reports = SentReports(VIDEO_CLOCK_HZ)
        self._report_at = now_s + FIRST_REPORT_S
        self._late_s = self._lateness_s()
        self.wake_at = self._report_at
        """When to call `wake`."""

    def _lateness_s(self) -> float:
        return TIMER_LATE_S + self._rng.expovariate(1 / WAKING_S)

    @property
    def rtt_s(self) -> float | None:
        """The usual round trip by the reports on pictures; the voice's before the first."""
        usual_s = self._round_trips.usual_s
        return self._voice_rtt_s() if usual_s is None else usual_s

    # pictures out

    def send(self, picture: CodedPicture, now_s: float) -> None:
        """Send one frame, spread over time."""
        self.sender.frame(picture, now_s)
        self._send_due(now_s)
        self._set_timer(now_s)

    def _send_due(self, now_s: float) -> None:
        sender = self.sender
        if not sender.waits:
            return
        voice = self._voice_sent()
        if voice is not None:
            sender.voice_sent(voice)
        for leaving in sender.leaving(now_s):
            if leaving.transport_sequence is not None:
                self._history.sent(leaving.transport_sequence, leaving.packet.line_bytes, now_s)
            self._line.send_picture(leaving.data, now_s)

    # pictures in

    def received(self, data: bytes, arrival_s: float) -> list[CodedPicture]:
        """Take a packet; return the frames that can be decoded now."""
        found = self.receiver.packet(data, arrival_s)
        self._set_timer(arrival_s)
        return [] if found is None else found[1]

    def lost_reference(self, now_s: float) -> None:
        """Ask for a key frame: the decoder cannot go on."""
        self.receiver.lost_reference(now_s)
        self.wake(now_s)

    # RTCP

    def reported(self, data: bytes, arrival_s: float) -> bool:
        """Take a compound packet. Returns whether nobody else need see it: it was sent for the peer's pictures."""
        sender, receiver = self.sender, self.receiver
        found = read_video_rtcp(data, self._sources.ssrc, receiver.sources.ssrc)
        counters = self.sent_counters
        for info in found.senders:
            receiver.sender_reported(info.ntp_timestamp, arrival_s)
            self.clock_of_peer.append(in_plain_units(info, arrival_s))
        for block in found.blocks:
            rtt_s = self._reports.answered(block, arrival_s).rtt_s
            if rtt_s is not None:
                self._round_trips.told(rtt_s)
        for numbers in found.missing:
            counters.nack_count += 1
            sender.asked_for(numbers, arrival_s, self.rtt_s)
        for _ in found.key_frames:
            counters.pli_count += 1
            self.key_frame_wanted = True
        for feedback in found.feedbacks:
            rate = self.rate
            rate.rtt_s, rate.voice_bps = self.rtt_s, sender.voice_bps
            rate.on_feedback(self._history.results(feedback), arrival_s)
            sender.set_target(rate.target_bps, rate.capacity_bps, rate.capacity_at_least_bps)
        self._send_due(arrival_s)
        self._set_timer(arrival_s)
        return int.from_bytes(data[4:8], "big") in receiver.sources.ssrcs

    # time

    def _set_timer(self, now_s: float) -> None:
        due_s = min(self.sender.next_at(now_s), self.receiver.next_at)
        self.wake_at = min(max(due_s, now_s) + self._late_s, self._report_at)

    def wake(self, now_s: float) -> None:
        """Do what is due."""
        self._late_s = self._lateness_s()
        self._send_due(now_s)
        self._ask(now_s)
        if now_s >= self._report_at:
            self._report(now_s)
        self._set_timer(now_s)

    def _ask(self, now_s: float) -> None:
        receiver = self.receiver
        if receiver.next_at > now_s:
            return
        ssrc, theirs = self._sources.ssrc, receiver.sources.ssrc
        receiver.look(now_s, self.rtt_s)
        missing = receiver.requests(now_s)
        if missing:
            self._line.send_rtcp(write_retransmission_request(ssrc, theirs, missing), now_s)
        if receiver.wish.asks(now_s, self.rtt_s):
            self.received_counters.pli_count += 1
            self._line.send_rtcp(write_picture_loss(ssrc, theirs), now_s)
        feedback = receiver.feedback(now_s, ssrc)
        if feedback is not None:
            self._line.send_rtcp(feedback, now_s)

    def _report(self, now_s: float) -> None:
        self._report_at = now_s + REPORT_EVERY_S * self._rng.uniform(0.75, 1.25)
        sender = self.sender
        rtp_now = sender.rtp_now(now_s)
        info: SenderInfo | None = None
        if rtp_now is not None and sender.packets_of_stream:
            ntp = ntp_timestamp(WALL_S + now_s)
            info = SenderInfo(
                self._sources.ssrc, ntp, rtp_now, sender.packets_of_stream, sender.bytes_of_stream
            )
            self._reports.add(ntp, now_s)
        blocks = self.receiver.report_blocks(now_s)
        if info is not None or blocks:
            self._line.send_rtcp(write_report(self._sources.ssrc, info, blocks, self._cname), now_s)
