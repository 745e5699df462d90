"""Who dials whom, and how a dialling is numbered."""

from blink_cli.core.names import Did


def dials(own: Did, peer: Did) -> bool:
    """Whether `own` is the side that dials `peer`: the one whose DID sorts first.

    Both sides come to opposite answers without talking about it, so there is never a collision of two descriptions.
    """
    assert own != peer, "a session never connects to its own identity"
    return own < peer


def next_epoch(last_epoch: int, own_instance: int) -> int:
    """The number of the next dialling of a pair: larger than the last, and than any of the dialler's earlier lives.

    It starts at the dialler's instance (wall-clock milliseconds), so that a dialler that crashed and forgot its count, or
    meets the same peer in another call, never uses a number twice.
    """
    return max(last_epoch + 1, own_instance)
