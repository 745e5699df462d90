"""Which packets of a stream a receiver asks for again, and when (RFC 4585, section 6.2.1).

    time when the next packet should come --+-- it came --> nothing
                                            '-- it did not, and is seldom that late --> ask, and again, while it can be of use

On a line that loses, a loss is noticed by the clock and not by a later packet: 20 ms earlier. Who pauses sends nothing, which looks the same at first:
what only the clock misses is asked for a few times and no more. A line that has lost nothing lately is not watched by the clock, and so costs no
wake-up. Pure: time comes in. Belongs to the event loop.
"""

import math
from dataclasses import dataclass
from typing import Final

import msgspec

from blink_cli.core.audio_format import SAMPLE_RATE_HZ


class AskingSettings(msgspec.Struct, frozen=True):
    """Timings and bounds. Measured by `scripts/bench voice --ask`; see docs/playout.md."""

    notice_s: float = 0.002
    """How much later than expected a packet is missed at least: scheduling at both ends."""

    notice_deviations: float = 0.5
    """And how many mean deviations of lateness (RFC 6298). Few: a packet that is only late is made good for a little more traffic, and one that is lost
    comes that much sooner."""

    notice_most_s: float = 0.06

    again_least_s: float = 0.004
    """Between two requests for one packet where the round trip is short: requests and answers are lost too. 10 ms are too slow there."""

    round_trips_between: float = 1 / 4
    """Between two requests for one packet where it is longer."""

    unknown_rtt_s: float = 0.03
    """Assumed before the first measurement."""

    most_rtt_s: float = 0.06
    """Beyond this nothing is asked: copies are there sooner than answers."""

    queue_s: float = 0.08
    """Mean lateness from which packets stand in a queue: what is lost there is lost because the line is full, and asking would fill it more."""

    judged_requests: int = 150
    least_success: float = 0.05
    """After so many names it is judged whether asking is of use: where less than this share of them brought a packet, requests and answers are what fills the line.
    Where bad times lose three of four, and the way takes 20 ms, it is twice as much."""

    futile_s: float = 3.0
    most_futile_s: float = 24.0
    """So long nothing is asked then, and twice as long each further time in a row."""

    horizon_s: float = 0.25
    """A packet so much behind its time is of no use any more."""

    ahead_packets: int = 8
    """So many are missed by the clock alone: a network that stands still is not asked for all that it holds."""

    ahead_in_pause: int = 2
    """Likewise, where the sender may have paused: each DTX packet, twice a second, would have eight asked for that nobody sent."""

    pause_requests: int = 3
    """For one packet of which no later one has come, where the sender may have paused: it may not have been sent."""

    most_requests: int = 40
    """For one packet."""

    most_missing: int = 64
    """Packets that are missed at a time; older ones are given up."""

    watched_s: float = 10.0
    """So long after a loss a line is watched by the clock."""

    burst_requests: int = 60
    requests_per_s: float = 300.0
    """Packet names, of all packets: a line that passes nothing is not filled with requests."""


LAN_AND_FAR: Final = AskingSettings()


@dataclass(slots=True)
class _Missing:
    expected_at: float
    ask_at: float
    asked: int = 0


class RetransmissionRequests:
    """Of one stream."""

    def __init__(self, settings: AskingSettings = LAN_AND_FAR) -> None:
        """Miss nothing."""
        self._settings = settings
        self.rtt_s: float | None = None
        """The round trip, as the owner knows it."""

        self._missing: dict[int, _Missing] = {}
        self._tokens = float(settings.burst_requests)
        self._tokens_at = -math.inf
        self._watched_until = -math.inf
        self._names_asked = self._names_got = 0
        """Since it was judged last."""

        self._futile_until = -math.inf
        self._futile_s = settings.futile_s
        self.begin()

    def begin(self) -> None:
        """Another stream begins with the next packet."""
        self._missing.clear()
        self._highest: int | None = None
        self._highest_timestamp = 0
        self._arrived_at = -math.inf
        """When the packet of the highest number came."""

        self._may_pause = False
        self._is_young = True
        """Whether one packet is all that is known."""

        self._noticed_up_to = 0
        """Up to which number packets have come or were missed."""

        self._packet_ticks = SAMPLE_RATE_HZ // 50
        self._transit_s = 0.0
        """What a packet takes at least, from media time to arrival, now; rises slowly, so that a drift of clocks is followed."""

        self._late_s = 0.0
        """How much longer the newest packet took: behind one that waited in a queue the next ones wait as well."""

        self._lateness_s = 0.0
        """The same in the mean."""

        self._deviation_s = _FIRST_DEVIATION_S

    @property
    def notice_after_s(self) -> float:
        """How much later than expected a packet is missed."""
        settings = self._settings
        wait_s = self._lateness_s + settings.notice_deviations * self._deviation_s
        return min(max(settings.notice_s, wait_s), settings.notice_most_s)

    @property
    def again_after_s(self) -> float:
        """Between two requests for one packet."""
        settings = self._settings
        rtt_s = settings.unknown_rtt_s if self.rtt_s is None else self.rtt_s
        return max(settings.again_least_s, rtt_s * settings.round_trips_between)

    @property
    def is_missing_some(self) -> bool:
        """Whether anything is missed now."""
        return bool(self._missing)

    @property
    def is_far(self) -> bool:
        """Whether copies are there sooner than answers."""
        return self.rtt_s is not None and self.rtt_s > self._settings.most_rtt_s

    def watches(self, now_s: float) -> bool:
        """Whether something was lost lately."""
        return now_s < self._watched_until

    def received(
        self, sequence: int, timestamp: int, arrival_s: float, *, marker: bool, may_pause: bool
    ) -> None:
        """A packet came over its ordinary way, in time or late.

        Args:
            sequence: Extended.
            timestamp: Extended RTP time of its first sample.
            arrival_s: Monotonic.
            marker: The first one after a pause.
            may_pause: Whether there may be none behind it for a while, because there is no voice in it.

        """
        if self._missing:
            self._missing.pop(sequence, None)
        transit_s = arrival_s - timestamp / SAMPLE_RATE_HZ
        highest = self._highest
        if highest is None or not -_JUMP_PACKETS < sequence - highest < _JUMP_PACKETS:
            self.begin()
            self._highest, self._highest_timestamp = sequence, timestamp
            self._noticed_up_to = sequence
            self._transit_s = transit_s
            return
        self._judge(arrival_s)
        late_s = transit_s - self._transit_s
        if late_s < 0:
            self._transit_s, late_s = transit_s, 0.0
        else:
            self._transit_s += min(late_s, _FOLLOWED_S) * _FOLLOWING
        error_s = late_s - self._lateness_s
        self._lateness_s += error_s / 16
        self._deviation_s += (abs(error_s) - self._deviation_s) / 8
        step = sequence - highest
        if step <= 0:
            return
        ticks = timestamp - self._highest_timestamp
        if step == 1 and not marker and 0 < ticks <= _LONGEST_PACKET_TICKS:
            self._packet_ticks = ticks
        paused = ticks > (step + 0.5) * self._packet_ticks
        if step > 1 and self._is_young and not marker and ticks % step == 0:
            self._packet_ticks = min(ticks // step, _LONGEST_PACKET_TICKS) or self._packet_ticks
        self._is_young = False
        if step > 1:
            self._gap(highest, sequence, timestamp, arrival_s, paused=paused)
        if paused and self._noticed_up_to > sequence:  # what the clock missed was not sent then
            for number in [number for number in self._missing if number > sequence]:
                del self._missing[number]
            self._noticed_up_to = sequence
        self._highest, self._highest_timestamp = sequence, timestamp
        self._late_s, self._arrived_at = late_s, arrival_s
        self._may_pause = may_pause
        self._noticed_up_to = max(self._noticed_up_to, sequence)

    def resent(self, sequence: int) -> None:
        """It came again because it was asked for, or another packet had its frame."""
        if self._missing.pop(sequence, None) is not None:
            self._names_got += 1

    def next_at(self) -> float:
        """When `due` has something to say next; infinite when nothing is awaited."""
        notice_at = self._next_notice_at()
        if not self._missing:
            return notice_at
        asks = (one.ask_at for number, one in self._missing.items() if self._is_worth_asking(number, one))
        return min(notice_at, min(asks, default=math.inf))

    def due(self, now_s: float) -> tuple[int, ...]:
        """The extended sequence numbers to ask for now, in their order; they count as asked."""
        settings = self._settings
        self._notice(now_s)
        if self.is_far or self._lateness_s > settings.queue_s or now_s < self._futile_until:
            self._missing.clear()
            return ()
        asked: list[int] = []
        for number, one in sorted(self._missing.items()):
            if now_s > one.expected_at + settings.horizon_s or one.asked >= settings.most_requests:
                del self._missing[number]
            elif one.ask_at <= now_s and self._is_worth_asking(number, one):
                one.ask_at = now_s + self.again_after_s
                if self._may_ask(now_s):
                    one.asked += 1
                    asked.append(number)
        self._names_asked += len(asked)
        return tuple(asked)

    def _judge(self, arrival_s: float) -> None:
        """See whether asking is of use, now that a packet has come; that of a time in which none came at all says nothing."""
        settings = self._settings
        if arrival_s - self._arrived_at > _OUTAGE_S:
            self._names_asked = self._names_got = 0
        if self._names_asked < settings.judged_requests:
            return
        if self._names_got < settings.least_success * self._names_asked:
            self._futile_until = arrival_s + self._futile_s
            self._futile_s = min(2 * self._futile_s, settings.most_futile_s)
        else:
            self._futile_s = settings.futile_s
        self._names_asked = self._names_got = 0

    def _is_worth_asking(self, number: int, one: _Missing) -> bool:
        was_sent = self._highest is not None and number < self._highest
        return was_sent or not self._may_pause or one.asked < self._settings.pause_requests

    def _gap(self, highest: int, sequence: int, timestamp: int, arrival_s: float, *, paused: bool) -> None:
        self._watched_until = arrival_s + self._settings.watched_s
        for number in range(max(highest, sequence - self._settings.most_missing) + 1, sequence):
            behind_s = (sequence - number) * self._packet_ticks / SAMPLE_RATE_HZ
            # What was missed by the clock and got is not missed again; in a pause it was another time that was waited for.
            if number > self._noticed_up_to or (paused and number in self._missing):
                self._miss(number, self._transit_s + timestamp / SAMPLE_RATE_HZ - behind_s, arrival_s)

    def _miss(self, number: int, expected_at: float, now_s: float) -> None:
        missing = self._missing
        if len(missing) >= self._settings.most_missing:
            del missing[min(missing)]
        missing[number] = _Missing(expected_at, max(expected_at + self.notice_after_s, now_s))

    def _next_notice_at(self) -> float:
        highest = self._highest
        if highest is None or self._arrived_at >= self._watched_until:  # as of each packet of a clean line
            return math.inf
        settings = self._settings
        ahead_packets = settings.ahead_in_pause if self._may_pause else settings.ahead_packets
        if self._noticed_up_to - highest >= ahead_packets:
            return math.inf
        notice_after_s = max(self.notice_after_s, self._late_s + settings.notice_s)
        at = self._expected_at(highest, self._noticed_up_to + 1) + notice_after_s
        return at if at < self._watched_until else math.inf

    def _expected_at(self, highest: int, number: int) -> float:
        ticks = self._highest_timestamp + (number - highest) * self._packet_ticks
        return self._transit_s + ticks / SAMPLE_RATE_HZ

    def _notice(self, now_s: float) -> None:
        while self._next_notice_at() <= now_s:
            self._noticed_up_to += 1
            assert self._highest is not None, "nothing is expected before a first packet"
            self._miss(self._noticed_up_to, self._expected_at(self._highest, self._noticed_up_to), now_s)

    def _may_ask(self, now_s: float) -> bool:
        settings = self._settings
        gained = (now_s - self._tokens_at) * settings.requests_per_s
        self._tokens = min(self._tokens + gained, float(settings.burst_requests))
        self._tokens_at = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


_JUMP_PACKETS: Final = 1_000
"""A gap of more is another stream."""

_LONGEST_PACKET_TICKS: Final = SAMPLE_RATE_HZ * 120 // 1000
"""An Opus packet lasts 120 ms at most (RFC 6716, section 3.2.5)."""

_OUTAGE_S: Final = 0.5

_FIRST_DEVIATION_S: Final = 0.002
_FOLLOWED_S: Final = 0.005
_FOLLOWING: Final = 0.002
"""Of up to 5 ms of lateness, this share is taken for a slower network or clock with each packet: 0.5 ms a second."""
