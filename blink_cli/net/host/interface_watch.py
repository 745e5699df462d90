"""Sees that the machine's network interfaces have changed: a cable, another wireless network, a new address.

    look() --> other than before, or not taken yet --> changed(what was seen)
       '------------------ every two seconds ------------------'

Looking costs under a millisecond and works alike everywhere; the systems' own notifications are three different ones.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Generic, NoReturn, TypeVar

_log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 2.0
"""An interface that comes or goes is noticed after so long."""

FIRST_LOOKS_EVERY_S: Final = 0.25
"""What is not settled is looked at again so soon, then after twice as long each time, up to the usual distance: a new IPv6 address can be
used after 1 to 2 s."""

T = TypeVar("T")


class InterfaceWatch(Generic[T]):
    """Looks for as long as `run` runs, in a task of whoever wants to know. Belongs to one event loop."""

    def __init__(
        self, look: Callable[[], T], changed: Callable[[T], bool], *, every_s: float | None = None
    ) -> None:
        """Know nothing yet.

        Args:
            look: Says what there is, such as `list_interfaces`; may raise OSError.
            changed: Told on the event loop what there is, at first and at every change; returns whether that is settled. If it is
                not, because an interface could not be used yet, it is told again at the next look.
            every_s: Seconds between two looks; None: `LOOK_EVERY_S`.

        """
        self._look = look
        self._changed = changed
        self._every_s = LOOK_EVERY_S if every_s is None else every_s
        self._settled: tuple[T] | None = None
        self._trouble_told = False

    async def run(self) -> NoReturn:
        """Look at once, and again and again, until cancelled."""
        soon_s = FIRST_LOOKS_EVERY_S
        while True:
            self._look_once()
            if self._settled is not None:
                soon_s = FIRST_LOOKS_EVERY_S
                await asyncio.sleep(self._every_s)
            else:
                await asyncio.sleep(min(soon_s, self._every_s))
                soon_s *= 2

    def _look_once(self) -> None:
        try:
            seen = (self._look(),)
        except OSError as reason:
            # No descriptor left, or no memory: it passes, and the watch must not have ended then.
            if not self._trouble_told:
                self._trouble_told = True
                _log.warning(
                    "The network interfaces cannot be listed: %s. Trying again.", reason.strerror or reason
                )
            return
        self._trouble_told = False
        if seen != self._settled:
            self._settled = seen if self._changed(seen[0]) else None
