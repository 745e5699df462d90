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
    """From the moment at which it begins."""

    computes: bool = False
    """Whether it computes rather than waits. Those that do run one after the other, so that none takes the time of another for its own."""


def blocking(name: str, look: Callable[[Situation], Iterable[Finding]]) -> Check:
    """Return a check that blocks, and so runs on a thread of its own."""
    return Check(name, _on_thread(name, look))


def computing(
    name: str, look: Callable[[Situation], Iterable[Finding]], deadline_s: float = DEADLINE_S
) -> Check:
    """Return a check that computes, and so runs on a thread of its own, in its turn."""
    return Check(name, _on_thread(name, look), deadline_s, computes=True)


def _on_thread(name: str, look: Callable[[Situation], Iterable[Finding]]) -> Look:
    async def on_its_thread(situation: Situation) -> Iterable[Finding]:
        return await on_thread(name, lambda: tuple(look(situation)))

    return on_its_thread
