"""Links whose addresses are asked for while it still rings, so that nobody waits for STUN and TURN servers once somebody accepts.

expect(peer) --> servers asked, sockets kept --> take(peer) within 25 s, and nothing has changed --> the link of the call
                 |                           '-> too late, or not wanted any more: given back
                 '-> describe(peer, epoch): its offer is told while it rings --> take_described(peer) with the answer to that

Only with servers: on one network there is nothing to wait for, and nothing is opened.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from blink_cli.core.errors import BlinkError
from blink_cli.core.ids import Did
from blink_cli.runtime.tasks import TaskOwner

if TYPE_CHECKING:  # aiortc: see `LinkSet`
    from blink_cli.net.link.media_link import MediaLink

KEPT_S: Final = 25.0
"""Many NATs forget after 30 s what spoke once (RFC 4787 asks for two minutes); who accepts later waits as without this."""

MAX_EXPECTED: Final = 4
"""Each is a socket and an allocation at the TURN server."""


@dataclass(slots=True)
class _Expected:
    link: "MediaLink"
    keeping: asyncio.Task[None]
    epoch: int | None = None
    """Under which its offer is told."""


class ExpectedLinks:
    """Of one session. Belongs to the event loop."""

    def __init__(self, tasks: TaskOwner, on_lapsed: Callable[[Did, int], None] = lambda *_: None) -> None:
        """Expect nobody.

        Args:
            tasks: Owns the asking and the giving back.
            on_lapsed: Told whose link was kept in vain, and the epoch under which it was described.

        """
        self._tasks = tasks
        self._on_lapsed = on_lapsed
        self._expected: dict[Did, _Expected] = {}

    def expect(self, peer: Did, new_link: "Callable[[], MediaLink]") -> None:
        """Have a link to this peer ask for its addresses, if there is room."""
        if peer in self._expected or len(self._expected) >= MAX_EXPECTED:
            return
        link = new_link()
        keeping = self._tasks.start(self._keep(peer, link), name=f"expect {peer[-8:]}")
        self._expected[peer] = _Expected(link, keeping)

    def take(self, peer: Did, fits: "Callable[[MediaLink], bool]") -> "MediaLink | None":
        """The link that was expected, still asking perhaps; None if there is none that fits what is so now."""
        link = self.take_described(peer, fits)
        if link is not None:
            link.withdraw_offer()
        return link

    def describe(self, peer: Did, epoch: int) -> "MediaLink | None":
        """The link that is expected and whose offer is told from now on; None if there is none, or it has been told."""
        expected = self._expected.get(peer)
        if expected is None or expected.epoch is not None:
            return None
        expected.epoch = epoch
        return expected.link

    def is_described(self, peer: Did, epoch: int) -> bool:
        """Whether the offer of a link that is kept is told under this epoch."""
        expected = self._expected.get(peer)
        return expected is not None and expected.epoch == epoch

    def take_described(self, peer: Did, fits: "Callable[[MediaLink], bool]") -> "MediaLink | None":
        """As `take`, but its offer stands."""
        expected = self._expected.get(peer)
        if expected is None:
            return None
        if not fits(expected.link):
            self.give_up(peer)
            return None
        del self._expected[peer]
        if expected.link.is_prepared:
            expected.keeping.cancel()
        return expected.link

    def give_up(self, peer: Did) -> None:
        """Give back what was expected, if anything was."""
        expected = self._expected.pop(peer, None)
        if expected is not None:
            expected.keeping.cancel()
            self._tasks.start(expected.link.aclose(), name=f"expect {peer[-8:]} no more")

    async def aclose(self) -> None:
        """Give everything back."""
        expected, self._expected = self._expected, {}
        for one in expected.values():
            one.keeping.cancel()
        await asyncio.gather(*(one.link.aclose() for one in expected.values()))

    async def _keep(self, peer: Did, link: "MediaLink") -> None:
        with contextlib.suppress(BlinkError, OSError):  # given up, and closed by whoever did
            await link.prepare()
        if self._is_kept(peer, link):
            await asyncio.sleep(KEPT_S)
        if self._is_kept(peer, link):
            epoch = self._expected.pop(peer).epoch
            if epoch is not None:
                self._on_lapsed(peer, epoch)
            await link.aclose()

    def _is_kept(self, peer: Did, link: "MediaLink") -> bool:
        expected = self._expected.get(peer)
        return expected is not None and expected.link is link
