# ruff: noqa: SLF001 - part of the seam, which may touch private names
"""Has both sides use one way, and moves the voice to another that works when nothing comes by that any more while the link stands.

    0.2 s after the link stands, on the controlling side: checks on the way in use and on every better one -- the best that answers is nominated
    every 0.2 s: has authentic media come by the way in use within 0.8 s, and by no other alone? -- yes: nothing to do
                        | no
    checks on every way between the two, the one in use among them -- that one answers: it stays; the controlling side nominates it again
                        | another answers
    that one is used from now on; the controlling side nominates it, and the other side follows

The first checks leave each side with a way of its own: each ends them as soon as one way works for it, and which one that is differs by chance. With
two ways, one could die of which one side alone would know. So the controlling side says which way counts, and says it again whenever the other is
heard by another one.

Nobody sees a cable that is pulled behind a switch: the interface stays up, and packets vanish. Both sides notice by themselves, within
about a second. Keys, numbering and clock of the streams stay, so that nothing is missing but the packets of that second. This is
renomination (draft-thatcher-ice-renomination); what RFC 8445 has instead, the restart, aioice has not.

A part of the seam to aioice; see ice_connection.py and docs/rtp_seam.md.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from aioice.ice import CandidatePair, Connection, StunProtocol, candidate_pair_priority
from aioice.stun import TransactionError

from blink_cli.runtime.tasks import TaskOwner
from blink_cli.runtime.wake_timer import LEAST_DELAY_S, next_beat_s

LOOK_EVERY_S: Final = 0.2

SILENT_AFTER_S: Final = 0.8
"""A muted sender, too, sends several packets a second; a false alarm costs a few checks."""

TRY_EVERY_S: Final = 1.0
"""While it stays silent. The checks of one try end when the next begins."""

HEAD_START_S: Final = 0.15
"""How much later than another way the one in use may answer and stay in use."""

CHECKS_A_TRY: Final = 24
"""So many ways are checked at once, the best first; the next try takes the next ones."""

AGREE_WITHIN_S: Final = 0.5
"""How long better ways than the one of the first checks have to answer once the link stands; the voice goes by that one meanwhile."""

SETTLED_S: Final = 2.0
"""After so long both sides use one way, unless packets were lost. The first nomination that comes sooner is the one by which they agree, while the way in use is heard."""

ELSEWHERE_FOR_S: Final = 0.2
"""After so long of media by another way alone the sides are taken to have lost each other; what the network reorders is over by then."""


class PathWatch:
    """Of one link. Belongs to the event loop."""

    def __init__(
        self,
        connection: Connection,
        ways: Callable[[], Sequence[CandidatePair]],
        on_moved: Callable[[CandidatePair, CandidatePair], None],
        on_silent: Callable[[], None],
    ) -> None:
        """Watch nothing yet.

        Args:
            connection: aioice's.
            ways: Tells every pair of addresses by which the link may go.
            on_moved: Told the way that was left and the one that is taken.
            on_silent: Told, before other ways are tried, that nothing comes by the one in use.

        """
        self._connection = connection
        self._ways = ways
        self._on_moved = on_moved
        self._on_silent = on_silent
        self._tasks = TaskOwner("paths")
        self._timer: asyncio.TimerHandle | None = None
        self._trying: asyncio.Task[None] | None = None
        self._stands_since_s = 0.0
        self._heard_s = 0.0
        self._elsewhere_s: float | None = None
        self._agreed = False
        self._next_try_s = 0.0
        self._skipped = 0

    def begin(self) -> None:
        """The link stands: watch it until closed."""
        loop = asyncio.get_running_loop()
        self._stands_since_s = self._heard_s = loop.time()
        self._timer = loop.call_later(LOOK_EVERY_S, self._agree)

    async def aclose(self) -> None:
        """Watch no more. Safe to call twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._tasks.aclose()

    def heard(self, protocol: StunProtocol, address: tuple[str, int]) -> None:
        """Authentic media came to this socket from this address."""
        now_s = asyncio.get_running_loop().time()
        if self._is_used(protocol, address):
            self._heard_s = now_s
            self._elsewhere_s = None
        elif self._elsewhere_s is None and self._is_settled(now_s) and self.knows(protocol, address):
            self._elsewhere_s = now_s

    @property
    def stands(self) -> bool:
        """Whether the link stands: the first checks are over, and the way is changed here alone."""
        return self._timer is not None

    def knows(self, protocol: StunProtocol, address: tuple[str, int]) -> bool:
        """Whether this is a way by which the peer may be reached."""
        return self._way(protocol, address) is not None

    def nominated(self, protocol: StunProtocol, address: tuple[str, int]) -> None:
        """The controlling side wants media to go this way from now on; its check came by it and was authentic."""
        pair = self._way(protocol, address)
        if pair is None:
            return
        agreed, self._agreed = self._agreed, True
        now_s = asyncio.get_running_loop().time()
        # A way that fell silent has died, however young the link is: then this is no agreement on the first one.
        if agreed or self._is_settled(now_s) or now_s - self._heard_s >= SILENT_AFTER_S:
            self._move(pair)
        else:
            self._take(pair)

    def _is_used(self, protocol: StunProtocol, address: tuple[str, int]) -> bool:
        pair = self._connection._nominated.get(1)
        return pair is not None and pair.protocol is protocol and pair.remote_addr == address

    def _is_settled(self, now_s: float) -> bool:
        return now_s - self._stands_since_s >= SETTLED_S

    def _way(self, protocol: StunProtocol, address: tuple[str, int]) -> CandidatePair | None:
        fitting = (pair for pair in self._ways() if pair.protocol is protocol and pair.remote_addr == address)
        return next(fitting, None)

    def _agree(self) -> None:
        self._look_again(asyncio.get_running_loop().time())
        if self._connection.ice_controlling:
            self._trying = self._tasks.start(self._settle(), name="agree on the way")

    async def _settle(self) -> None:
        present = self._connection._nominated.get(1)
        if present is None:
            return
        used = self._priority(present)
        better = [pair for pair in self._ways() if self._priority(pair) > used]
        better.sort(key=self._priority, reverse=True)
        async with TaskOwner("checks") as owner:
            checks = {
                owner.start(self._answers(pair, nominate=False), name="better way"): pair
                for pair in better[:CHECKS_A_TRY]
            }
            if checks:
                done, _ = await asyncio.wait(checks, timeout=AGREE_WITHIN_S)
                present = max(
                    [present, *(checks[task] for task in done if task.result())], key=self._priority
                )
        self._take(present)
        await self._answers(present, nominate=True)

    def _look(self) -> None:
        now_s = asyncio.get_running_loop().time()
        self._look_again(now_s)
        elsewhere = self._elsewhere_s is not None and now_s - self._elsewhere_s >= ELSEWHERE_FOR_S
        if now_s - self._heard_s < SILENT_AFTER_S and not elsewhere:
            self._skipped = 0
        elif now_s >= self._next_try_s:
            self._next_try_s = now_s + TRY_EVERY_S
            self._on_silent()
            if self._trying is not None:
                self._trying.cancel()
            self._trying = self._tasks.start(self._try(), name="try other ways")

    def _look_again(self, now_s: float) -> None:
        """Look when all links do, and the call's other slow things are looked at: each wake-up of its own would cost more than the look."""
        due_s = next_beat_s(now_s, LOOK_EVERY_S) + LEAST_DELAY_S
        self._timer = asyncio.get_running_loop().call_at(due_s, self._look)

    async def _try(self) -> None:
        present = self._connection._nominated.get(1)
        if present is None:
            return
        others = [pair for pair in self._ways() if not _is_same_way(pair, present)]
        if not others:
            return
        others.sort(key=self._priority, reverse=True)
        if self._skipped >= len(others):
            self._skipped = 0
        chosen = others[self._skipped : self._skipped + CHECKS_A_TRY]
        self._skipped += CHECKS_A_TRY
        async with TaskOwner("checks") as owner:
            loop = asyncio.get_running_loop()
            says_so = self._connection.ice_controlling
            staying = owner.start(self._answers(present, nominate=says_so), name="way in use")
            checks = {
                owner.start(self._answers(pair, nominate=False), name="another way"): pair for pair in chosen
            }
            waiting: set[asyncio.Task[bool]] = {staying, *checks}
            ends_s = loop.time() + TRY_EVERY_S
            answered: list[CandidatePair] = []
            while waiting and loop.time() < ends_s:
                done, waiting = await asyncio.wait(
                    waiting, timeout=ends_s - loop.time(), return_when=asyncio.FIRST_COMPLETED
                )
                if staying in done and staying.result():
                    return
                fresh = [checks[task] for task in done if task is not staying and task.result()]
                if fresh and not answered:
                    ends_s = loop.time() + HEAD_START_S
                answered += fresh
        if answered:
            best = max(answered, key=self._priority)
            self._move(best)
            if self._connection.ice_controlling:
                await self._answers(best, nominate=True)

    async def _answers(self, pair: CandidatePair, *, nominate: bool) -> bool:
        connection = self._connection
        assert connection.remote_password is not None, "a link that stands knows the other side"
        try:
            _, address = await pair.protocol.request(
                connection.build_request(pair, nominate=nominate),
                pair.remote_addr,
                integrity_key=connection.remote_password.encode(),
            )
        except (TransactionError, OSError):
            return False
        return address == pair.remote_addr

    def _move(self, pair: CandidatePair) -> None:
        present = self._connection._nominated.get(1)
        if present is not None and not _is_same_way(present, pair):
            self._take(pair)
            self._on_moved(present, pair)

    def _take(self, pair: CandidatePair) -> None:
        self._connection._nominated[1] = pair
        self._heard_s = asyncio.get_running_loop().time()
        self._elsewhere_s = None

    def _priority(self, pair: CandidatePair) -> int:
        return candidate_pair_priority(
            pair.local_candidate, pair.remote_candidate, self._connection.ice_controlling
        )


def _is_same_way(one: CandidatePair, other: CandidatePair) -> bool:
    return one.protocol is other.protocol and one.remote_addr == other.remote_addr
