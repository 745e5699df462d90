"""Where a line's chances come from, said once: so that one line has one fate wherever it is made.

A wire of the laboratory, a simulation in virtual time, the sender's own way out and the receiver's own way in: the n-th packet of the
voice from one to the other is lost in all of them or in none, where seed, names and conditions are the same.
"""


def line_seed(seed: int, sender: str, receiver: str, kind: str) -> str:
    """Return what the chances of one kind of packet are drawn from.

    Args:
        seed: What a user or a scenario says.
        sender: Nickname of who sends.
        receiver: Nickname of who receives.
        kind: What has chances of its own: `rtp`, `rtcp`, `other`.

    """
    return f"{seed}/{sender}/{receiver}/{kind}"
