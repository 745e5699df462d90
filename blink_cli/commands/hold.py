"""How long a foreground command stays in its call."""

import msgspec


class Hold(msgspec.Struct, frozen=True):
    """Stay in the call."""

    seconds: float | None
    """None: until it is over."""
