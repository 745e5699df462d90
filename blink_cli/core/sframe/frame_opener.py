"""Opens what many senders sealed: finds the key that a ciphertext names, refuses what is forged or comes twice, and counts that."""

from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

import msgspec

from blink_cli.core.errors import WireError
from blink_cli.core.sframe.frame_key import FrameKey
from blink_cli.core.sframe.header import read_header
from blink_cli.core.sframe.replay_window import ReplayWindow, ReplayWindows

S = TypeVar("S")


@dataclass(slots=True)
class OpenCounters:
    """Ciphertexts that were not opened, by reason."""

    malformed: int = 0
    of_unknown_key: int = 0
    """For a moment of each change of keys that is no fault."""

    forged: int = 0
    replayed: int = 0

    def copy(self) -> "OpenCounters":
        """Return these figures, which do not grow."""
        return replace(self)

    def less(self, before: "OpenCounters") -> "OpenCounters":
        """Return what came since these were counted."""
        return OpenCounters(
            self.malformed - before.malformed,
            self.of_unknown_key - before.of_unknown_key,
            self.forged - before.forged,
            self.replayed - before.replayed,
        )

    @property
    def refused(self) -> int:
        """Of every kind."""
        return self.malformed + self.of_unknown_key + self.forged + self.replayed


class _Held(msgspec.Struct, Generic[S], frozen=True):
    key: FrameKey
    sender: S
    window: ReplayWindow


class FrameOpener(Generic[S]):
    """Of one receiver; `S` says whose a key is. Belongs to the event loop."""

    def __init__(self, windows: ReplayWindows, counters: OpenCounters | None = None) -> None:
        """Know no key.

        Args:
            windows: Remember what came under each, longer than this opener.
            counters: Count what is refused; None: of this opener alone.

        """
        self._windows = windows
        self.counters: Final = counters or OpenCounters()
        self._held: dict[int, _Held[S]] = {}

    def __contains__(self, kid: object) -> bool:
        """Whether the key of this name is known."""
        return kid in self._held

    def add(self, key: FrameKey, sender: S) -> None:
        """Open under this key from now on; one that is known keeps what has come under it."""
        if key.kid not in self._held:
            self._held[key.kid] = _Held(key, sender, self._windows.of(key.kid))

    def keep_only(self, kids: frozenset[int]) -> None:
        """Forget every other key."""
        self._held = {kid: held for kid, held in self._held.items() if kid in kids}

    def open(self, ciphertext: bytes) -> tuple[S, bytes] | None:
        """Whose it is and what is in it; None when it is refused, which is counted."""
        counters = self.counters
        try:
            kid, ctr, header_bytes = read_header(ciphertext)
        except WireError:
            counters.malformed += 1
            return None
        held = self._held.get(kid)
        if held is None:
            counters.of_unknown_key += 1
            return None
        if not held.window.is_new(ctr):
            counters.replayed += 1
            return None
        try:
            plaintext = held.key.open_body(ctr, ciphertext, header_bytes)
        except WireError:
            counters.forged += 1
            return None
        held.window.came(ctr)
        return held.sender, plaintext
