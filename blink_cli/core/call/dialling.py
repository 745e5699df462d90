"""Who dials whom, and how a dialling is numbered."""

from blink_cli.core.ids import Did


def dials(own: Did, peer: Did) -> bool:
    """Whether `own` is the side that dials `peer`: the one whose DID sorts first.

    Both sides come to opposite answers without talking about it, so there is never a collision of two descriptions.
    """
    assert own != peer, "a session never connects to its own identity"
    return own < peer


class Epochs:
    """Numbers the diallings of this session: every new one is larger than all before it.

    A joining raises them to its incarnation (wall-clock milliseconds), so that a session that crashed and forgot its count does
    not use a number twice; and one counter serves all calls and peers, so that a late report of the media layer about
    an old connection can never be taken for one about a new connection.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = 0

    def raise_to(self, incarnation: int) -> None:
        """The next number is at least this."""
        self._last = max(self._last, incarnation - 1)

    def next(self, beyond: int) -> int:
        """A new number, also larger than `beyond`."""
        self._last = max(self._last, beyond) + 1
        return self._last
