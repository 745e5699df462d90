"""Whom the signals of a session can reach, and a sentence for who sees nobody: a network that could work never fails in silence."""

import msgspec

_SHOWN = 4


class Reach(msgspec.Struct, frozen=True):
    """What the transport of the signals uses at one moment."""

    group: str
    """Multicast group and port."""

    networks: tuple[str, ...]
    """Names of the interfaces, loopback left out, on which multicast is sent and heard."""

    refused: tuple[tuple[str, str], ...]
    """Names of interfaces that cannot be used, each with the system's reason."""

    restricted: bool
    """Whether `--interface` chose the interfaces."""

    neighbours: int
    """Of `--neighbour`, whose addresses are known."""

    multicast: bool = True
    """Whether the network is used at all."""

    broker: str | None = None
    """A sentence on the servers that carry signals past the network; None: there are none."""


def why_nobody(
    reach: Reach, *, heard: int, other: int, discovery: bool, other_versions: tuple[str, ...] = ()
) -> str:
    """Why nobody is seen, as far as this session can know, and what to do.

    Args:
        reach: What is used.
        heard: Datagrams that have come since the start.
        other: Of those, what no session of this version has said.
        discovery: Whether the session announces itself.
        other_versions: A sentence about each session that is there and speaks another version of the protocol.

    """
    if other_versions:
        # A name stays as it is written.
        said = [
            f"{sentence}.".replace("a session at", "A session at", 1) for sentence in other_versions[:_SHOWN]
        ]
        more = len(other_versions) - _SHOWN
        return " ".join([*said, f"So do {more} more." if more > 0 else "Nobody else is here."])
    if not reach.multicast:
        return f"{reach.broker or ''} Only contacts are seen there.".lstrip()
    sentences = [_where(reach)]
    if reach.refused:
        sentences.append(f"Not on {_refusals(reach.refused)}.")
    if not discovery:
        sentences.append("With --no-discovery only contacts are looked for.")
    elif other and other == heard:
        sentences.append(
            "What came there was said by no session of this version: another program, or another version, uses the group."
        )
    elif reach.networks and not heard:
        sentences.append("Nothing has come there from anybody else.")
    if reach.broker:
        sentences.append(f"{reach.broker} Only contacts are seen there.")
    elif not reach.neighbours:
        sentences.append("`--neighbour HOST:PORT` reaches a session where multicast does not pass.")
    return " ".join(sentences)


def _where(reach: Reach) -> str:
    if reach.networks:
        return f"Looking on {_shown(reach.networks)}, group {reach.group}."
    if reach.restricted:
        return "This session was told by --interface to use loopback, or what is not there now: only sessions on this machine are seen."
    return "No interface but loopback is up, has an address and passes multicast: only sessions on this machine are seen."


def _refusals(refused: tuple[tuple[str, str], ...]) -> str:
    by_reason: dict[str, list[str]] = {}
    for name, reason in refused:
        by_reason.setdefault(reason, []).append(name)
    return "; ".join(f"{_shown(tuple(names))}: {reason}" for reason, names in by_reason.items())


def _shown(names: tuple[str, ...]) -> str:
    if len(names) > _SHOWN + 1:
        return f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
