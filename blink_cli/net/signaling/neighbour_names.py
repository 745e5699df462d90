"""Where the configured neighbours are: their names are looked up at the start, and again every now and then.

    HOST:PORT     an address: known at once, and never asked about
                  a name:     a task of its own --> look up --> changed() --> wait, or until look_again()

Nobody waits for an answer: a resolver that is silent holds up neither the start, nor the end, nor the other names.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from blink_cli.core.endpoint import Endpoint, endpoint_text, ipv4, ipv6
from blink_cli.core.gossip.paths import Path, unicast_path
from blink_cli.net.host.name_lookup import host_addresses
from blink_cli.runtime.tasks import TaskOwner

_log = logging.getLogger(__name__)

KNOWN_AGAIN_S: Final = 60.0
"""How old the address of a name becomes: dynamic DNS has times to live of about a minute."""

UNKNOWN_AGAIN_S: Final = 10.0
"""How soon a name that was not found is asked for again: the network may come up after the session."""


class NeighbourNames:
    """Keeps the paths to some neighbours. Belongs to one event loop."""

    def __init__(self, neighbours: Sequence[Endpoint], changed: Callable[[], None]) -> None:
        """Know those that are addresses already; nothing is asked yet.

        Args:
            neighbours: Host and port of each.
            changed: Told on the event loop that `paths` has changed.

        """
        self._neighbours = tuple(dict.fromkeys(neighbours))
        self._changed = changed
        self._found: dict[str, tuple[str, ...]] = {
            host: (host,) for host, _ in self._neighbours if ipv4(host) or ipv6(host)
        }
        self._named = tuple(dict.fromkeys(host for host, _ in self._neighbours if host not in self._found))
        self._again = {host: asyncio.Event() for host in self._named}
        self._tasks = TaskOwner("neighbour names")

    @property
    def paths(self) -> tuple[Path, ...]:
        """To each neighbour that is known, in their order; to a name with addresses of both families one to each, which share a link.

        A name that is not found any more keeps its last addresses.
        """
        known = (
            unicast_path((address, port), link=endpoint_text((host, port)))
            for host, port in self._neighbours
            for address in self._found.get(host, ())
        )
        return tuple(dict.fromkeys(known))

    def start(self) -> None:
        """Begin to look names up, in the background."""
        for host in self._named:
            self._tasks.start(self._follow(host), name=f"look up {host}")

    def look_again(self) -> None:
        """Look every name up now: another network may know other names."""
        for again in self._again.values():
            again.set()

    async def aclose(self) -> None:
        """Stop asking; an answer that is on its way is not waited for. Safe to call twice."""
        await self._tasks.aclose()

    async def _follow(self, host: str) -> None:
        again = self._again[host]
        told = False
        while True:
            again.clear()
            try:
                addresses = await host_addresses(host)
            except OSError as reason:
                if not told:
                    _log.warning("Neighbour %s cannot be looked up: %s. Trying again.", host, reason)
                told = True
                pause_s = UNKNOWN_AGAIN_S
            else:
                told = False
                pause_s = KNOWN_AGAIN_S
                if self._found.get(host) != addresses:
                    self._found[host] = addresses
                    self._changed()
            try:
                async with asyncio.timeout(pause_s):
                    await again.wait()
            except TimeoutError:
                pass
