"""The one connection by which this session sends in a room.

[voice thread] EncodedFrame --> RoomSender: copies, header, seal --> MediaLink --> the SFU, which gives it to who subscribed
[event loop]                         '-- how much is repeated <-- reports of the SFU and of the listeners
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from typing_extensions import override

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.ids import Did
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.redundancy_policy import RedundancyPlan, RedundancyPolicy
from blink_cli.core.media.room import STREAM_ID_BYTES
from blink_cli.core.media.room_reports import RoomReports
from blink_cli.core.media.room_sender import RoomSender
from blink_cli.core.media.rtcp import BlockOnWire
from blink_cli.core.media.rtp import EncodedFrame, ReceptionReport, SentPacket
from blink_cli.net.link.link_events import LinkEvents, RtcpReport
from blink_cli.net.link.media_link import MediaLink
from blink_cli.net.link_settings import LinkClosed, LinkFailed, LinkState

_REPORT_SAMPLES: Final = SAMPLE_RATE_HZ // 1000
"""A report travels as a packet of its own, which has to last some time."""


class RoomUpload(LinkEvents):
    """Of one visit. `send` may be called by any thread, everything else belongs to the event loop."""

    __slots__ = (
        "_ended",
        "_held",
        "_link",
        "_plan",
        "_policy",
        "_reports",
        "_timestamp",
        "_wall_offset_s",
        "sender",
    )

    def __init__(
        self, own: Did, group_key: bytes, codec: CodecSettings, *, ended: Callable[[str], None]
    ) -> None:
        """Have no connection yet.

        Args:
            own: Who sends.
            group_key: The current one of the call.
            codec: What may be repeated.
            ended: Told why the connection ended, unless it was closed here.

        """
        self.sender: Final = RoomSender(
            own,
            secrets.token_bytes(STREAM_ID_BYTES),
            group_key,
            ssrc=secrets.randbits(32),
            sequence=secrets.randbelow(0x8000),
        )
        self._ended = ended
        self._held = threading.Lock()
        """Held while a packet is made and sent, and while what it is made of changes: some microseconds."""

        self._link: MediaLink | None = None
        self._policy = RedundancyPolicy(codec)
        self._reports = RoomReports[Did]()
        self._plan: RedundancyPlan | None = None
        self._timestamp = 0
        self._wall_offset_s = time.time() - time.monotonic()

    @property
    def plan(self) -> RedundancyPlan | None:
        """What is repeated; None before there is a connection."""
        return self._plan

    @property
    def remote_host(self) -> str:
        """The IP address that packets go to; empty while there is none."""
        address = None if self._link is None else self._link.remote_address
        return "" if address is None else address[0].partition("%")[0]

    def send_by(self, link: MediaLink) -> None:
        """Have a connection, which stands."""
        self.plan_anew(time.monotonic())
        self._link = link

    def use_key(self, group_key: bytes) -> None:
        """Seal by what follows from this key of the call from the next packet on."""
        with self._held:
            self.sender.use_key(group_key)

    def word_begins(self) -> None:
        """This session begins to talk: its next frames carry the word from its first sound."""
        with self._held:
            self.sender.word_begins()

    def plan_anew(self, now_s: float) -> None:
        """Have the next frames repeated as it is needed now: what the reports say, and what is long ago. To be called some times a second."""
        worst = self._reports.worst(now_s)
        if worst is not None:
            self._policy.on_reception_report(worst, now_s)
        self._plan = self._policy.plan(now_s)

    def codec_changed(self, codec: CodecSettings) -> None:
        """Repeat by other settings from the next frame on."""
        self._policy.change(codec)
        self.plan_anew(time.monotonic())

    def send(self, frame: EncodedFrame) -> SentPacket | None:
        """Send one frame now; returns the packet in it that the listeners get. Any thread; waits for nobody but who sends a report."""
        with self._held:
            link, plan = self._link, self._plan
            if link is None or plan is None:
                return None
            made = self.sender.frame(frame, plan, time.monotonic())
            if made is None:
                return None
            sealed, told = made
            self._timestamp = frame.timestamp
            if link.send_frame(EncodedFrame(sealed, frame.timestamp, frame.duration_samples)) is None:
                self.sender.discarded()
                return None
            self.sender.went_out(frame, told)
            return told

    def report(self, blocks: Iterable[BlockOnWire], now_s: float) -> None:
        """Send what is to be said of our stream's clock and of what was heard."""
        with self._held:
            if self._link is not None:
                sealed = self.sender.report(blocks, now_s, now_s + self._wall_offset_s)
                self._link.send_frame(EncodedFrame(sealed, self._timestamp, _REPORT_SAMPLES))

    def reported_by(self, listener: Did, report: ReceptionReport) -> None:
        """Somebody tells how it hears us."""
        self._reports.from_listener(listener, report)

    def told_losses(self, permille: dict[Did, int], now_s: float) -> None:
        """Listeners say in signals how much of us they lose."""
        for listener, lost in permille.items():
            report = ReceptionReport(self.sender.ssrc, lost / 1000, 0, 0, 0.0, now_s)
            self._reports.from_listener(listener, report)

    @override
    def reported(self, report: RtcpReport) -> None:
        """Take what the SFU says of the way to it."""
        if isinstance(report, ReceptionReport):
            self._reports.from_server(report)

    @override
    def state_changed(self, state: LinkState) -> None:
        """Tell the end."""
        if isinstance(state, LinkFailed) or (isinstance(state, LinkClosed) and state.by_peer):
            self._link = None
            self._ended(state.reason)
