"""The wire: a process that carries Ethernet frames between TAP devices in network namespaces.

Started by lab.py as root, spoken to in JSON, one object a line: orders on stdin, one answer each on stdout. It ends
when stdin does, so that it never outlives the test that started it.

    {"do": "plug", "host": "alice", "namespace": "...", "device": "eth0"}
    {"do": "conditions", "from": ["alice"], "to": ["bob"], "conditions": {...}, "multicast_loss": 0.3}
    {"do": "reseed"}
    {"do": "partition", "groups": [["alice"], ["bob", "carol"]]}      [] heals
    {"do": "carrier", "host": "alice", "up": false}                   the cable is pulled
    {"do": "counts"}
"""

import fcntl
import heapq
import itertools
import json
import os
import random
import select
import struct
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.line import Copy, Line, with_wrong_bit
from blink_cli.lab.network.namespaces import inside

_TUNSETIFF = 0x400454CA
_TUNSETCARRIER = 0x400454E2
_IFF_TAP = 0x0002
_IFF_NO_PI = 0x1000

_MAX_FRAME_BYTES = 2048
_MAX_WAITING_FRAMES = 50_000
"""Frames under way at once; more is a flood that this wire is not for, and is dropped and counted."""

_LATENESS_KEPT = 20_000

_PRIORITY = 80
"""Of SCHED_FIFO, 1 to 99: sessions ask for less."""


def open_tap(namespace: str, device: str) -> int:
    """Make a TAP device inside a network namespace and return its descriptor, which works from outside."""
    with inside(namespace):
        tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH22x", device.encode(), _IFF_TAP | _IFF_NO_PI))
        return tap


@dataclass(slots=True)
class _Port:
    host: str
    tap: int
    carrier: bool = True


@dataclass(slots=True)
class _Direction:
    """From one port to another."""

    line: Line
    multicast_chance: random.Random
    multicast_loss: float = 0.0
    """Share of IP multicast frames lost besides; ARP's broadcasts are not meant."""


class Wire:
    """A switch that floods what it does not know, with a line for each pair of ports in each direction."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._ports: dict[str, _Port] = {}
        self._by_tap: dict[int, _Port] = {}
        self._directions: dict[tuple[str, str], _Direction] = {}
        self._home_of: dict[bytes, str] = {}
        self._groups: list[set[str]] = []
        self._waiting: list[tuple[float, int, str, bytes]] = []
        self._order = itertools.count()
        self._counts: Counter[str] = Counter()
        self._lateness_s: deque[float] = deque(maxlen=_LATENESS_KEPT)

    def run(self) -> None:
        """Carry frames and obey orders until stdin ends."""
        orders = sys.stdin.fileno()
        os.set_blocking(orders, False)
        unread = b""
        while True:
            self._deliver(time.monotonic())
            pause_s = max(self._waiting[0][0] - time.monotonic(), 0) if self._waiting else None
            # select, not epoll: its time-out has microseconds.
            readable, _, _ = select.select([orders, *self._by_tap], [], [], pause_s)
            for descriptor in readable:
                if descriptor != orders:
                    self._take(self._by_tap[descriptor])
                    continue
                chunk = os.read(orders, 65536)
                if not chunk:
                    return
                *lines, unread = (unread + chunk).split(b"\n")
                for line in lines:
                    sys.stdout.write(json.dumps(self._obey(json.loads(line))) + "\n")
                    sys.stdout.flush()

    # --- frames ---

    def _take(self, port: _Port) -> None:
        # A few at a time, so that one busy host does not delay what is due on the others.
        for _ in range(16):
            try:
                frame = os.read(port.tap, _MAX_FRAME_BYTES)
            except BlockingIOError:
                return
            except OSError:
                # The device is down for the moment.
                return
            if port.carrier and len(frame) >= 14:
                self._send(port, frame, time.monotonic())

    def _send(self, source: _Port, frame: bytes, now: float) -> None:
        destination, sender = frame[:6], frame[6:12]
        self._home_of[sender] = source.host
        known = self._home_of.get(destination)
        multicast = destination[:3] == b"\x01\x00\x5e" or destination[:2] == b"\x33\x33"
        for target in [known] if known else list(self._ports):
            if target == source.host or not self._joined(source.host, target):
                continue
            direction = self._direction(source.host, target)
            # Drawn for each, so that what becomes of one frame does not depend on what the others were.
            if direction.multicast_chance.random() < direction.multicast_loss and multicast:
                self._counts["frames"] += 1
                self._counts["dropped"] += 1
                continue
            self._pass(direction.line, target, frame, now)

    def _pass(self, line: Line, target: str, frame: bytes, now: float) -> None:
        self._hand_over(line.fate(now, len(frame)), target, frame, now)

    def _hand_over(self, copies: Sequence[Copy], target: str, frame: bytes, now: float) -> None:
        """Let a frame's copies come out, each when it is due."""
        self._counts["frames"] += 1
        if not copies or len(self._waiting) >= _MAX_WAITING_FRAMES:
            self._counts["dropped"] += 1
            return
        self._counts["duplicated"] += len(copies) - 1
        for copy in copies:
            content = frame if copy.wrong_at is None else self._spoilt(frame, copy.wrong_at)
            if copy.due_at <= now:
                self._write(target, content, now)
            else:
                heapq.heappush(self._waiting, (copy.due_at, next(self._order), target, content))

    def _spoilt(self, frame: bytes, wrong_at: float) -> bytes:
        """Return the frame with a wrong bit, at this share of its length."""
        return with_wrong_bit(frame, wrong_at)

    def _deliver(self, now: float) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            due_at, _, target, frame = heapq.heappop(self._waiting)
            self._write(target, frame, due_at)

    def _write(self, target: str, frame: bytes, due_at: float) -> None:
        port = self._ports[target]
        if not port.carrier:
            self._counts["dropped"] += 1
            return
        try:
            os.write(port.tap, frame)
        except OSError:
            # The host's device is down or its queue is full: lost, as on a real cable.
            self._counts["refused"] += 1
            return
        self._counts["delivered"] += 1
        self._lateness_s.append(time.monotonic() - due_at)

    def _joined(self, one: str, other: str) -> bool:
        return not self._groups or any(one in group and other in group for group in self._groups)

    def _direction(self, source: str, target: str) -> _Direction:
        key = source, target
        if key not in self._directions:
            self._directions[key] = self._fresh(source, target, Conditions())
        return self._directions[key]

    def _fresh(
        self, source: str, target: str, conditions: Conditions, multicast_loss: float = 0.0
    ) -> _Direction:
        seed = f"{self._seed}/{source}/{target}"
        line = Line(conditions, random.Random(seed).random, began_at=time.monotonic())
        return _Direction(line, random.Random(f"{seed}/multicast"), multicast_loss)

    # --- orders ---

    def _obey(self, order: dict[str, Any]) -> dict[str, Any]:
        match order["do"]:
            case "plug":
                port = _Port(order["host"], open_tap(order["namespace"], order["device"]))
                self._ports[port.host] = self._by_tap[port.tap] = port
            case "conditions":
                conditions = msgspec.convert(order["conditions"], Conditions)
                for source, target in itertools.product(order["from"], order["to"]):
                    if source != target:
                        direction = self._direction(source, target)
                        direction.line.change(conditions, time.monotonic())
                        direction.multicast_loss = order["multicast_loss"]
            case "reseed":
                for (source, target), old in list(self._directions.items()):
                    self._directions[source, target] = self._fresh(
                        source, target, old.line.conditions, old.multicast_loss
                    )
            case "partition":
                self._groups = [set(group) for group in order["groups"]]
            case "carrier":
                self._set_carrier(self._ports[order["host"]], up=order["up"])
            case "counts":
                return {"ok": True, "counts": dict(self._counts), "lateness_s": sorted(self._lateness_s)}
            case unknown:
                return {"ok": False, "error": f"unknown order {unknown}"}
        return {"ok": True}

    def _set_carrier(self, port: _Port, *, up: bool) -> None:
        port.carrier = up
        # Kernels before 4.20 cannot tell the host; its frames are dropped all the same.
        with suppress(OSError):
            fcntl.ioctl(port.tap, _TUNSETCARRIER, struct.pack("i", up))


def main(kind: type[Wire] = Wire) -> None:
    """Run the wire; the argument is its seed."""
    # What the wire adds to a frame's delay is what others take of its processor: before the voice threads of sessions, too, which run
    # with real-time priority. A cable does not wait for a busy host.
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
    kind(sys.argv[1]).run()


if __name__ == "__main__":
    main()
