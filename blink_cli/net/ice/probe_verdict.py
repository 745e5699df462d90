"""What a probe finds out about a STUN or TURN server."""

from typing import Final

import msgspec

PROBE_TIMEOUT_S: Final = 2.0
"""The third copy of a STUN request goes out after 1.5 s: at 20 % loss each way all three fail once in twenty times."""


class ProbeAnswer(msgspec.Struct, frozen=True):
    """The server is alive."""

    host: str
    """The IPv4 address that its name stood for."""

    address: tuple[str, int]
    """What it gave: our outside address (STUN), or the relay's (TURN)."""

    rtt_s: float
    """One request and its answer."""

    setup_s: float
    """Until a candidate was there, the lookup of the name not counted."""


class ProbeFailure(Exception):  # noqa: N818 - it is an answer, not an error of ours
    """The server cannot be used; the text says why."""

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        super().__init__(reason)
        self.refused = refused
        """It answered, and will say the same tomorrow."""
