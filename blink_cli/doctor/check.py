"""A check: a name, a deadline, and how it looks at a situation."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from blink_cli.doctor.finding import Finding
from blink_cli.doctor.on_thread import on_thread
from blink_cli.doctor.situation import Situation

DEADLINE_S: Final = 6.0
"""A TURN server has 2 s for its name and 2 s to answer, PortAudio has 5 s to list its devices."""

Look = Callable[[Situation], Awaitable[Iterable[Finding]]]


@dataclass(frozen=True, slots=True)
class Check:
    """One subject. It may have several findings, or none where it does not apply."""

    name: str
    look: Look
    deadline_s: float = DEADLINE_S


def blocking(name: str, look: Callable[[Situation], Iterable[Finding]]) -> Check:
    """Return a check that blocks, and so runs on a thread of its own."""

    async def on_its_thread(situation: Situation) -> Iterable[Finding]:
        return await on_thread(name, lambda: tuple(look(situation)))

    return Check(name, on_its_thread)
