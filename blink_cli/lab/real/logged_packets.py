"""What sessions themselves say of the packets between them, where no wire counts: the rows of their RTP logs, joined.

    alice's rows `sent` to bob ──┐
                                 ├─ by SSRC, sequence and timestamp ──> Passed: when, how long, how many came
    bob's rows `received` of alice ┘

A session writes down what leaves it, in front of its own `impair`, and what comes out behind the other's. So what is lost on purpose is
lost here too, and so is what a real network loses between two machines.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from blink_cli.core.ids import Did
from blink_cli.lab.real.passed_packet import PassedPacket
from blink_cli.lab.real.session_clock import SessionClock
from blink_cli.record.rtp_log.format import LogEvent, LogRow
from blink_cli.record.rtp_log.reader import RtpLogReader


class _Key(NamedTuple):
    ssrc: int
    sequence: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class SessionLog:
    """The logs of one participant."""

    did: Did
    paths: Sequence[Path]
    """One for each start of its session and each call."""

    clock: SessionClock
    """By which they tell times."""


def passed_between(logs: Mapping[str, SessionLog]) -> dict[tuple[str, str], list[PassedPacket]]:
    """Return what became of each RTP packet, by sender and receiver, in the order of sending. Times are monotonic seconds of this machine.

    Raises:
        BlinkError: A log cannot be read.

    """
    names = {log.did: name for name, log in logs.items()}
    sent: dict[tuple[str, str], list[tuple[_Key, float, int]]] = {}
    came: dict[tuple[str, str], Counter[_Key]] = {}
    for name, log in logs.items():
        for row in _packets(log.paths):
            peer = None if row.peer is None else names.get(row.peer)
            if peer is None or row.sequence is None:
                continue
            key = _Key(row.ssrc, row.sequence & 0xFFFF, row.timestamp)
            if row.direction == "sent":
                sent.setdefault((name, peer), []).append((key, log.clock.here(row.time_s), row.payload_bytes))
            else:
                came.setdefault((peer, name), Counter())[key] += 1
    nothing: Counter[_Key] = Counter()
    return {
        ends: [
            PassedPacket(at_s, payload_bytes, came.get(ends, nothing)[key], changed=False)
            for key, at_s, payload_bytes in packets
        ]
        for ends, packets in sent.items()
    }


def _packets(paths: Iterable[Path]) -> Iterator[LogRow]:
    for path in paths:
        for row in RtpLogReader(path):
            if row.event is LogEvent.PACKET:
                yield row
