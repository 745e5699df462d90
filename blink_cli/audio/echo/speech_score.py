"""PESQ of what came back against what was sent, where the judge is installed (`blink-cli[lab]`)."""

from collections.abc import Sequence

import numpy as np

from blink_cli.audio.echo.comparison import RATE_HZ, Piece
from blink_cli.runtime.extras import needs_extra


def pesq_wideband(pieces: Sequence[Piece]) -> float:
    """ITU-T P.862.2 over all pieces, one after the other; 1 to 4.64, 1 when nothing like the reference is found. Takes a second.

    Raises:
        NotInstalledError: The judge is not there.

    """
    with needs_extra("lab", "The judge of voices"):
        from pesq import pesq  # noqa: PLC0415 - an extra
    reference = np.concatenate([piece.reference for piece in pieces])
    heard = np.concatenate([piece.heard for piece in pieces])
    return round(float(pesq(RATE_HZ, reference, heard, "wb", on_error=1)), 2)
