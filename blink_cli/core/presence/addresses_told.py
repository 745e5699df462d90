"""Says between which addresses no path was found, to somebody who may know why."""

from collections.abc import Sequence
from typing import Final

SHOWN: Final = 3
"""So many addresses of a kind are named; a machine may have a hundred."""


def addresses_tried(ours: Sequence[str], left_out: Sequence[str], theirs: Sequence[str]) -> str:
    """Tell them as the end of a sentence, without a full stop."""
    tried = f"tried from {_some(ours)} to {_some(theirs)}"
    return f"{tried}; not tried: {_some(left_out)}" if left_out else tried


def _some(addresses: Sequence[str]) -> str:
    if not addresses:
        return "no address"
    shown = ", ".join(addresses[:SHOWN])
    more = len(addresses) - SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
