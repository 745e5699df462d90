"""Lets what contacts, the invited and calls say come through a flood of signals, by its topic.

A socket of the signals is read as fast as a busy call needs. When more comes, the kernel drops what does not fit, and with it what contacts
say. So in a flood a datagram is looked at before it is read: those on an expected topic (`Receiver.expected_topics`) pass, of
the others a trickle, drawn at random. On Linux the kernel does that (net/host/socket_filter.py); elsewhere, or where it refuses,
this process reads the datagram and drops it at once, for a few microseconds.

Which topics these are nobody can guess, but who overhears them can flood them too. A topic on which more is said in a flood than any call needs
gets no more than the trickle until the flood is over: what is said on the others is heard all the same. Who spreads a flood over many topics, so
that none is loud by itself, is told by order: the loudest ones go first, until what is left can be read.
"""

import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from blink_cli.core.gossip.datagram import HEADER_BYTES, MESSAGE_ID_BYTES, VERSION
from blink_cli.core.signaling.topics import TOPIC_BYTES
from blink_cli.net.host import socket_filter
from blink_cli.net.host.socket_filter import (
    JUMP,
    JUMP_IF_EQUAL,
    KEEP,
    LOAD_BYTE,
    LOAD_WORD,
    PAYLOAD,
    RETURN,
    instruction,
    trickle,
)

CLOSED_S: Final = 10.0
"""So long after it was noticed, or noticed to go on, a flood is taken to last; then the next one has to show itself anew."""

REMEMBERED_S: Final = 2.0
"""A flood that shows itself again so soon is the same one."""

LOOK_S: Final = 0.05
"""How often the topics are asked for during a flood: a call that begins then has topics of its own."""

FIRST_SHARE: Final = 32
"""One in so many of what is not expected passes: of 50,000 a second fewer than are read in peace."""

NARROWER: Final = 8
SMALLEST_SHARE: Final = FIRST_SHARE * NARROWER**3

JUDGED_S: Final = 0.5
"""So long it is counted what passes, before less does."""

LOUD_PER_S: Final = 400.0
"""On one topic; as much as the members of a call are allowed together."""

MOST_TOPICS: Final = 500
"""Two programs of so many topics fit the memory that Linux gives the options of a socket (net.core.optmem_max, 20 kB)."""

PREFIX_BYTES: Final = 4
"""What is compared of a topic. A datagram that has it by chance, one in eight million at 500 topics, is refused behind."""

_TOPIC_OFFSET: Final = HEADER_BYTES - MESSAGE_ID_BYTES - TOPIC_BYTES
_MOST_JUMP: Final = 255

_log = logging.getLogger(__name__)


class TopicFilter:
    """Of one socket; belongs to the event loop."""

    def __init__(
        self,
        descriptor: int,
        expected_topics: Callable[[], Sequence[bytes]],
        *,
        by_kernel: bool | None = None,
    ) -> None:
        """Take note of the socket; nothing is filtered yet.

        Args:
            descriptor: The socket's.
            expected_topics: Tells which pass, the most important first.
            by_kernel: Whether the kernel shall filter; None: where it can.

        """
        self._descriptor = descriptor
        self._expected_topics = expected_topics
        self._by_kernel = socket_filter.is_available() if by_kernel is None else by_kernel
        self._attached = False
        self._opens_at: float | None = None
        self._opened_at = -REMEMBERED_S
        self._share = FIRST_SHARE
        self._loud: set[bytes] = set()
        """Beginnings of topics that are flooded themselves."""

        self._asked: Sequence[bytes] = ()
        self._passes: frozenset[bytes] = frozenset()
        """Beginnings of the topics that pass now."""

        self._read: Counter[bytes] = Counter()
        """Datagrams that passed by these since `_judged_at`."""

        self._read_unexpected = 0
        """Of the others that passed, since then."""

        self._judged_at = 0.0

        self._queued = False
        """Whether the socket may hold datagrams that came before the kernel filtered."""

        self.closings = 0
        """Floods that were noticed."""

    @property
    def is_closed(self) -> bool:
        """Whether a flood lasts: then `passes` is asked for each datagram, and `look` every `LOOK_S`."""
        return self._opens_at is not None

    def flooded(self, now_s: float) -> None:
        """More comes than is read."""
        if self._opens_at is None:
            self.closings += 1
            self._queued = True
            if now_s - self._opened_at >= REMEMBERED_S:
                self._share, self._loud = FIRST_SHARE, set()
            self._begin_judging(now_s)
            self._apply(force=True)
        elif now_s - self._judged_at >= JUDGED_S:
            self._tighten(now_s)
            self._begin_judging(now_s)
            self._apply(force=True)
        self._opens_at = now_s + CLOSED_S

    def expects(self, datagram: bytes) -> bool:
        """Whether all on its topic passes."""
        return _prefix_of(datagram) in self._passes and datagram[0] == VERSION

    def passes(self, datagram: bytes) -> bool:
        """Whether a datagram that was read is worth handing on; count it."""
        prefix = _prefix_of(datagram)
        expected = self.expects(datagram)
        unfiltered = self._queued or not self._attached
        if unfiltered and not expected and random.randrange(self._share):
            return False
        if expected:
            self._read[prefix] += 1
        else:
            self._read_unexpected += 1
        return True

    def emptied(self) -> None:
        """Everything was read that the socket held."""
        self._queued = False

    def look(self, now_s: float) -> None:
        """Follow the topics; let everything in again when the flood has been over for a while."""
        if self._opens_at is None:
            return
        if now_s < self._opens_at:
            self._apply(force=False)
            return
        self._opens_at, self._opened_at = None, now_s
        self._passes = frozenset()
        if self._attached:
            self._attached = False
            socket_filter.detach(self._descriptor)

    def _begin_judging(self, now_s: float) -> None:
        self._read.clear()
        self._read_unexpected = 0
        self._judged_at = now_s

    def _tighten(self, now_s: float) -> None:
        """It was closed already, and still more comes than is read."""
        many = LOUD_PER_S * (now_s - self._judged_at)
        loud = {prefix for prefix, count in self._read.items() if count > many}
        if not loud and self._read.total() > self._read_unexpected:
            loud = _loudest(self._read)
        self._loud |= loud
        if not loud:
            self._share = min(self._share * NARROWER, SMALLEST_SHARE)

    def _apply(self, *, force: bool) -> None:
        topics = self._expected_topics()
        if topics is self._asked and not force:
            return
        self._asked = topics
        prefixes = (topic[:PREFIX_BYTES] for topic in topics)
        passes = [prefix for prefix in dict.fromkeys(prefixes) if prefix not in self._loud][:MOST_TOPICS]
        if not force and self._passes == frozenset(passes):
            return
        self._passes = frozenset(passes)
        if not self._by_kernel:
            return
        try:
            socket_filter.attach(self._descriptor, program(passes, self._share))
        except OSError as reason:
            _log.debug("the system does not filter signals: %s", reason)
            self._by_kernel = False
            if self._attached:
                self._attached = False
                socket_filter.detach(self._descriptor)
        else:
            self._attached = True


def _prefix_of(datagram: bytes) -> bytes:
    return datagram[_TOPIC_OFFSET : _TOPIC_OFFSET + PREFIX_BYTES]


def _loudest(read: Counter[bytes]) -> set[bytes]:
    """Those on which three quarters of all this were read; a topic that is not flooded is among the last."""
    loud, left = set(), read.total() * 3 // 4
    for prefix, count in read.most_common():
        if left <= 0:
            break
        loud.add(prefix)
        left -= count
    return loud


def program(prefixes: Sequence[bytes], share: int) -> bytes:
    """Return the BPF program that keeps datagrams whose topics begin so, and one of `share` (a power of two) of all others.

    Words are compared one by one: 500 comparisons take the kernel half a microsecond.
    """
    code = b""
    for start in range(0, len(prefixes), _MOST_JUMP - 1):
        code += _keep_any(prefixes[start : start + _MOST_JUMP - 1])
    return code + trickle(share)


def _keep_any(prefixes: Sequence[bytes]) -> bytes:
    """Keep a datagram of our version whose topic begins with one of these; else go on behind."""
    size = len(prefixes)
    # version, then the word, then `size` comparisons, each of which jumps to the verdict at the end; the last one else jumps over it
    checks = [
        instruction(
            JUMP_IF_EQUAL,
            int.from_bytes(prefix, "big"),
            if_true=size - number - 1,
            if_false=1 if number == size - 1 else 0,
        )
        for number, prefix in enumerate(prefixes)
    ]
    return b"".join(
        (
            instruction(LOAD_BYTE, PAYLOAD),
            instruction(JUMP_IF_EQUAL, VERSION, if_true=1),
            instruction(JUMP, size + 2),  # jump over the whole: it is no signal of this version
            instruction(LOAD_WORD, PAYLOAD + _TOPIC_OFFSET),
            *checks,
            instruction(RETURN, KEEP),
        )
    )
