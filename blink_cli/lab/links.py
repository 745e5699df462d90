"""Pairs of media links over real loopback sockets, and a wire between them that loses, repeats and reorders."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any, Self, TypeVar

from msgspec.structs import replace
from typing_extensions import override

from blink_cli.core.media.extended_report import ExtendedReport, StatisticsSummary, VoipMetrics
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.rtp import (
    EncodedFrame,
    ReceptionReport,
    RepeatedPacket,
    RtpPacket,
    SenderReport,
    SentPacket,
)
from blink_cli.net.ice.ice_connection import Way
from blink_cli.net.link.link_events import LinkEvents, RtcpReport
from blink_cli.net.link.media_link import MediaLink
from blink_cli.net.link.media_round import MediaRound
from blink_cli.net.link_impairment import LinkImpairment
from blink_cli.net.link_settings import (
    LinkCertificate,
    LinkConnected,
    LinkSettings,
    LinkState,
)
from blink_cli.runtime.tasks import TaskOwner

LOOPBACK = LinkSettings(addresses=("127.0.0.1",), first_report_s=0.05, report_interval_s=0.1)

NOTHING_AGAIN = replace(LOOPBACK, retransmission=False)
"""Lost packets stay lost."""

S = TypeVar("S")


@functools.cache
def certificate() -> LinkCertificate:
    """One for all tests, as one serves all links of a session."""
    return LinkCertificate()


class End(LinkEvents):
    """A media link that remembers what it was told, and lets a test wait for it."""

    def __init__(
        self,
        name: str,
        tasks: TaskOwner,
        settings: LinkSettings = LOOPBACK,
        *,
        media_round: MediaRound | None = None,
    ) -> None:
        self.impairment = LinkImpairment()
        self.packets: list[RtpPacket] = []
        self.copies: list[RepeatedPacket] = []
        self.states: list[LinkState] = []
        self.moves: list[tuple[Way, Way]] = []
        self.sender_reports: list[SenderReport] = []
        self.reception_reports: list[ReceptionReport] = []
        self.loss_reports: list[LossReport] = []
        self.extended_reports: list[ExtendedReport] = []
        self.sent: list[SentPacket] = []
        self._changed = asyncio.Event()
        self.link = MediaLink(
            settings,
            certificate(),
            tasks,
            name=name,
            events=self,
            impairment=self.impairment,
            media_round=media_round,
        )

    def send(self, frame: EncodedFrame) -> bool:
        """Send a frame and remember what went out. Returns whether anything did."""
        told = self.link.send_frame(frame)
        if told is not None:
            self.sent.append(told)
        return told is not None

    @override
    def state_changed(self, state: LinkState) -> None:
        """See `LinkEvents`."""
        self.states.append(state)
        self._changed.set()

    @override
    def path_changed(self, left: Way, taken: Way) -> None:
        """See `LinkEvents`."""
        self.moves.append((left, taken))
        self._changed.set()

    @override
    def packet_received(self, packet: RtpPacket) -> None:
        """See `LinkEvents`."""
        self.packets.append(packet)
        self._changed.set()

    @override
    def packet_repeated(self, packet: RepeatedPacket) -> None:
        """See `LinkEvents`."""
        self.copies.append(packet)
        self._changed.set()

    @override
    def reported(self, report: RtcpReport) -> None:
        """See `LinkEvents`."""
        match report:
            case SenderReport():
                self.sender_reports.append(report)
            case ReceptionReport():
                self.reception_reports.append(report)
            case LossReport():
                self.loss_reports.append(report)
            case StatisticsSummary() | VoipMetrics():
                self.extended_reports.append(report)
        self._changed.set()

    async def until(self, condition: Callable[[], bool], *, within_s: float = 10.0) -> None:
        """Wait until something that this end was told makes the condition true."""
        async with asyncio.timeout(within_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_state(self, kind: type[S], *, within_s: float = 10.0) -> S:
        """Wait for a state, also one that was entered before, and return it."""
        await self.until(lambda: any(isinstance(state, kind) for state in self.states), within_s=within_s)
        return next(state for state in self.states if isinstance(state, kind))


def frame(index: int, *, level_dbov: int = -30, voice: bool = False, size: int = 80) -> EncodedFrame:
    """The n-th 20 ms frame of a stream; its payload tells its number."""
    payload = index.to_bytes(4, "big") + bytes(size - 4)
    timestamp = (index * 960) & 0xFFFFFFFF
    return EncodedFrame(payload, timestamp, 960, level_dbov, voice, index == 0)


class Wire:
    """Stands between two links, as each one's only remote candidate, and does to SRTP what a test wants.

    STUN and DTLS pass untouched. `on_rtp` is given the sequence number of each RTP packet and whether it comes from the
    offerer; it returns how often to forward it: 0 loses it, 2 repeats it. Give -1 to hold it until the next has passed.
    """

    def __init__(self) -> None:
        self.on_rtp: Callable[[int, bool], int] = lambda _sequence, _from_offerer: 1
        self.passed: list[tuple[bool, bytes]] = []
        """RTP that was forwarded: whether from the offerer, and the datagram; copies included."""

        self.cut = False
        self._transports: list[asyncio.DatagramTransport] = []
        self._real: list[tuple[str, int]] = [("", 0), ("", 0)]
        self._held: list[bytes] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for side in range(2):  # 0 is seen by the answerer, 1 by the offerer
            transport, _ = await loop.create_datagram_endpoint(
                lambda side=side: _WireEnd(self, side),  # type: ignore[misc]
                local_addr=("127.0.0.1", 0),
            )
            self._transports.append(transport)
        return self

    async def __aexit__(self, *_: object) -> None:
        for transport in self._transports:
            transport.close()

    def stand_in_for_offerer(self, offer: str) -> str:
        """The offer with this wire's address in place of the offerer's."""
        return self._stand_in(0, offer)

    def stand_in_for_answerer(self, answer: str) -> str:
        """The answer with this wire's address in place of the answerer's."""
        return self._stand_in(1, answer)

    def _stand_in(self, side: int, description: str) -> str:
        line = next(line for line in description.splitlines() if line.startswith("a=candidate:"))
        fields = line.split()
        self._real[side] = (fields[4], int(fields[5]))
        fields[5] = str(self._transports[side].get_extra_info("sockname")[1])
        return description.replace(line, " ".join(fields))

    def received(self, side: int, data: bytes) -> None:
        """Take a datagram that came to one of the two sockets; it goes on from the other one."""
        from_offerer = side == 1
        if self.cut:
            return
        if not 127 < data[0] < 192 or 192 <= data[1] <= 223:
            self._forward(side, data)
            return
        times = self.on_rtp(data[2] << 8 | data[3], from_offerer)
        if times < 0:
            self._held.append(data)
            return
        for held in [data] * times + self._held:
            self.passed.append((from_offerer, held))
            self._forward(side, held)
        self._held.clear()

    def _forward(self, side: int, data: bytes) -> None:
        # What the offerer sent to socket 1 goes to the answerer from socket 0, whose address it knows.
        self._transports[1 - side].sendto(data, self._real[side])


class _WireEnd(asyncio.DatagramProtocol):
    def __init__(self, wire: Wire, side: int) -> None:
        self._wire = wire
        self._side = side

    @override
    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        del addr
        self._wire.received(self._side, data)


async def connect(a: End, b: End, *, wire: Wire | None = None) -> None:
    """Offer from `a`, answer from `b`, and wait until both are up."""
    offer = await a.link.create_offer()
    if wire is not None:
        offer = wire.stand_in_for_offerer(offer)
    answer = await b.link.accept_offer(offer)
    if wire is not None:
        answer = wire.stand_in_for_answerer(answer)
    await a.link.accept_answer(answer)
    await a.until_state(LinkConnected)
    await b.until_state(LinkConnected)
