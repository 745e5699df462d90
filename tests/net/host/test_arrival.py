"""The kernel's arrival time of a datagram that the event loop read late, also across a wall clock that is set."""

import itertools
import random
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from blink_cli.net.host import arrival
from blink_cli.net.host.arrival import ArrivalClock, WallClock

pytestmark = pytest.mark.real_time

MS = 1_000_000
S = 1_000 * MS

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps datagrams this way")


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    """A UDP socket on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


@only_linux
@pytest.mark.parametrize("waited_s", [0.05, 1.2])
def test_a_late_read_does_not_move_the_arrival(receiver: socket.socket, waited_s: float) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        clock = ArrivalClock(receiver.fileno())
        until_stamped(clock, sender, receiver)
        before_s = time.monotonic()
        sender.sendto(b"x", receiver.getsockname())
        after_s = time.monotonic()
        time.sleep(waited_s)  # the event loop was busy
        receiver.recvfrom(10)
        assert before_s - 0.001 <= clock.now_s() <= after_s + 0.001


def test_without_a_socket_it_is_the_present() -> None:
    before_s = time.monotonic()
    assert before_s <= ArrivalClock(None).now_s() <= time.monotonic()


def test_a_descriptor_that_is_gone_is_the_present() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        clock = ArrivalClock(receiver.fileno())
    before_s = time.monotonic()
    assert before_s <= clock.now_s() <= time.monotonic()


def test_a_socket_that_was_closed_before_is_the_present() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        pass
    before_s = time.monotonic()
    assert before_s <= ArrivalClock(closed.fileno()).now_s() <= time.monotonic()


def test_an_interrupted_look_is_no_set_clock() -> None:
    read = iter([(0, 5 * S, 10), (S, 6 * S + 2 * S, S + 3 * S), *[(4 * S, 9 * S, 4 * S + 100)] * 9])
    clock = WallClock(lambda: next(read))
    clock.look()
    assert not clock._past
    clock.look()
    assert not clock._past


@dataclass
class Machine:
    """Two clocks, of which one can be set, and a socket of which datagrams are read when the process runs. Times in ns."""

    now_ns: int = 1_000 * S
    offset_ns: int = 1_700_000_000 * S
    waiting: deque[tuple[int, int]] = field(default_factory=deque)
    """True arrival and the kernel's stamp."""

    errors_ns: list[int] = field(default_factory=list)
    arrivals_ns: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = WallClock(lambda: (self.now_ns, self.now_ns + self.offset_ns, self.now_ns + 200))

    def pass_to(self, at_ns: int, *, every_ns: int = 20 * MS, first_ns: int = 0) -> None:
        """Let time pass and datagrams come; nobody reads."""
        at = self.now_ns + first_ns
        while at < at_ns:
            self.waiting.append((at, at + self.offset_ns))
            at += every_ns
        self.now_ns = at_ns

    def read(self) -> None:
        """Read all that waits."""
        while self.waiting:
            true_ns, stamp_ns = self.waiting.popleft()
            self.now_ns += 20_000
            self.clock.look()
            last_ns = self.arrivals_ns[-1] if self.arrivals_ns else 0
            self.arrivals_ns.append(self.clock.monotonic_ns(stamp_ns, last_ns))
            self.errors_ns.append(self.arrivals_ns[-1] - true_ns)

    def run(self, seconds: float) -> None:
        """Read as datagrams come."""
        end_ns = self.now_ns + int(seconds * S)
        while self.now_ns < end_ns:
            self.pass_to(self.now_ns + 20 * MS, first_ns=19 * MS)
            self.read()
            self.clock.look()

    def stand_still(self, seconds: float, *, step_ns: int = 0, at: float = 0.5) -> None:
        """Stop the process; the wall clock is set meanwhile."""
        begun_ns = self.now_ns
        self.pass_to(begun_ns + int(at * seconds * S))
        self.offset_ns += step_ns
        self.pass_to(begun_ns + int(seconds * S))
        self.read()


STEPS_S = (3600, 86_400, 30, 3, 1.5, 0.4, 0.05)


@pytest.mark.parametrize("step_s", [sign * step for step in STEPS_S for sign in (1, -1)])
@pytest.mark.parametrize("stop_s", [0.0, 1.1, 3.0, 9.0])
def test_a_clock_that_is_set_moves_no_arrival(step_s: float, stop_s: float) -> None:
    machine = Machine()
    machine.run(1.0)
    if stop_s:
        machine.stand_still(stop_s, step_ns=int(step_s * S))
    else:
        machine.offset_ns += int(step_s * S)
    machine.run(1.0)
    machine.offset_ns -= int(step_s * S)
    machine.run(1.0)
    assert max(map(abs, machine.errors_ns)) < MS // 10
    assert all(later > earlier for earlier, later in itertools.pairwise(machine.arrivals_ns))


def test_stalls_and_set_clocks_in_any_order() -> None:
    seed = 4711
    source = random.Random(seed)
    machine = Machine()
    for _ in range(300):
        machine.run(source.uniform(0.1, 0.6))
        step_ns = int(source.choice([-1, 1]) * 10 ** source.uniform(-1.2, 3.5) * S)
        if source.random() < 0.5:
            machine.offset_ns += step_ns
            machine.run(0.1)
        machine.stand_still(
            source.choice([0.3, 1.5, 4.0]),
            step_ns=source.choice([0, -step_ns, step_ns]),
            at=source.uniform(0.1, 0.9),
        )
    assert max(map(abs, machine.errors_ns)) < MS // 10, f"seed {seed}"


def test_the_first_datagram_after_a_long_silence_and_a_set_clock() -> None:
    for step_s in (30, -30, 0.5, -0.5):
        machine = Machine()
        machine.run(0.2)
        for _ in range(600):
            machine.now_ns += 100 * MS  # nothing comes, and the call's pulse looks on
            machine.clock.look()
        machine.offset_ns += int(step_s * S)
        machine.run(0.5)
        assert max(map(abs, machine.errors_ns)) < MS // 10, step_s


def until_stamped(clock: ArrivalClock, sender: socket.socket, receiver: socket.socket) -> None:
    """Wait until the kernel stamps what comes: it begins a moment after it was asked to, and until then says when it was read."""
    waited_s = 0.0
    while waited_s < 0.004:
        sender.sendto(b"x", receiver.getsockname())
        time.sleep(0.005)
        receiver.recvfrom(10)
        waited_s = time.monotonic() - clock.now_s()


@only_linux
def test_a_real_socket_and_a_clock_that_is_set_while_datagrams_wait(
    receiver: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel's stamps are real; the clock is set in what the program sees of both."""
    set_at_s = float("inf")
    stamp = ArrivalClock._stamp_ns

    def stamp_of_a_set_clock(clock: ArrivalClock) -> int | None:
        real_ns = stamp(clock)
        if real_ns is None:
            return None
        return real_ns + (-3600 * S if real_ns - time.time_ns() + time.monotonic_ns() > set_at_s * S else 0)

    def read() -> tuple[int, int, int]:
        now_ns, wall_ns, later_ns = arrival._read_clocks()
        return now_ns, wall_ns + (-3600 * S if now_ns > set_at_s * S else 0), later_ns

    monkeypatch.setattr(ArrivalClock, "_stamp_ns", stamp_of_a_set_clock)
    clock = ArrivalClock(receiver.fileno(), wall_clock=WallClock(read))
    sent_s: list[tuple[float, float]] = []
    found_s: list[float] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        until_stamped(clock, sender, receiver)
        for index in range(40):
            if index == 10:
                set_at_s = time.monotonic()
            before_s = time.monotonic()
            sender.sendto(b"x", receiver.getsockname())
            sent_s.append((before_s, time.monotonic()))
            time.sleep(0.01)
    for _ in sent_s:
        receiver.recvfrom(10)
        found_s.append(clock.now_s())
    for (before_s, after_s), arrival_s in zip(sent_s, found_s, strict=True):
        assert before_s - 0.001 <= arrival_s <= after_s + 0.001
