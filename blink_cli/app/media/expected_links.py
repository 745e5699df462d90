"""Links whose addresses are asked for while it still rings, so that nobody waits for STUN and TURN servers once somebody accepts.

expect(peer) --> servers asked, sockets kept --> take(peer) within 25 s, and nothing has changed --> the link of the call
                                             '-> too late, or not wanted any more: given back

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


@dataclass(frozen=True, slots=True)
class _Expected:
    link: "MediaLink"
    keeping: asyncio.Task[None]


class ExpectedLinks:
    """Of one session. Belongs to the event loop."""

    def __init__(self, tasks: TaskOwner) -> None:
        """Expect nobody.

        Args:
            tasks: Owns the asking and the giving back.

        """
        self._tasks = tasks
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
        expected = self._expected.pop(peer, None)
        if expected is None:
            return None
        if not fits(expected.link):
            expected.keeping.cancel()
            self._tasks.start(expected.link.aclose(), name=f"expect {peer[-8:]} no more")
            return None
        if expected.link.is_prepared:
            expected.keeping.cancel()
        return expected.link

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
            del self._expected[peer]
            await link.aclose()

    def _is_kept(self, peer: Did, link: "MediaLink") -> bool:
        expected = self._expected.get(peer)
        return expected is not None and expected.link is link
