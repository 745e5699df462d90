"""What a check found, in a sentence, and what to do about it."""

from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["ok", "warning", "failed", "unknown"]
"""`failed`: calls suffer from it. `warning`: they work all the same, and could be better or may stop working. `unknown`: it could not be found out."""

_OK: Final[dict[Level, bool | None]] = {"ok": True, "warning": None, "failed": False, "unknown": None}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what `doctor` shows. Made by the four functions below."""

    name: str
    """Of the check, stable for scripts; where it looks at several things of a kind, with a colon and which one: `multicast:eth0`."""

    level: Level
    found: str
    """Without a full stop."""

    remedy: str | None
    """What to do, as whole sentences."""

    @property
    def ok(self) -> bool | None:
        """Whether it is as it should be; None: neither known to be right nor a failure."""
        return _OK[self.level]


def fine(name: str, found: str) -> Finding:
    """It is as it should be."""
    return Finding(name, "ok", found, None)


def warning(name: str, found: str, remedy: str) -> Finding:
    """Calls work, and could be better or may stop working."""
    return Finding(name, "warning", found, remedy)


def failed(name: str, found: str, remedy: str) -> Finding:
    """Calls suffer from it."""
    return Finding(name, "failed", found, remedy)


def unknown(name: str, found: str, remedy: str | None = None) -> Finding:
    """It could not be found out, or does not apply here."""
    return Finding(name, "unknown", found, remedy)
