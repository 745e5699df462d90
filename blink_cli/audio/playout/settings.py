"""Limits of the playout buffer."""

import msgspec


class PlayoutSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller may want to change; the defaults suit a conversation."""

    minimum_delay_ms: float = 0.0
    """The target delay never goes below this."""

    maximum_delay_ms: float = 400.0
    """The target delay never goes above this, however bad the network is."""

    opening_delay_ms: float = 55.0
    """The target delay before anything is known of the network."""

    capacity_ms: float = 1_000.0
    """How late sound may be played after a freeze; what waits longer is dropped, oldest first."""

    excess_ms: float = 250.0
    """How much longer than the target sound may wait for good. Playing faster is over such a backlog in a second or two after a freeze; one that
    stays because ticks are missing, or the machine is too slow, would stay for the rest of the call."""

    excess_s: float = 4.0
    """After so long above that, the backlog is skipped: one gap in place of a call that is always late."""
