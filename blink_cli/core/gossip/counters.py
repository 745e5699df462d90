"""What became of every datagram and message."""

import msgspec


class GossipCounters(msgspec.Struct, kw_only=True):
    """Counts since the start. Of `received`, each is in exactly one of those from `oversize` to `acknowledgements_received`."""

    received: int = 0
    """Datagrams that came in."""

    oversize: int = 0
    """Longer than 1,200 bytes."""

    malformed: int = 0
    """No header of ours, an impossible one, or content that is no signal, or not one for that topic."""

    other_version: int = 0
    """Begins with another version byte."""

    duplicates: int = 0
    """Came again by another path, or repeated what was delivered."""

    not_for_us: int = 0
    """On a topic that this session does not know."""

    fragments: int = 0
    """Kept until the rest of their message comes."""

    rate_limited: int = 0
    """Sealed messages dropped unopened because their sender, or all strangers, sent too many."""

    unopened: int = 0
    """Not sealed with the key of its channel or to this session's key, or changed on the way."""

    unknown_prekeys: int = 0
    """Sealed to a prekey that this session does not have: it was forgotten, or is that of another session; their senders ask for ours."""

    unprotected: int = 0
    """Opened and well signed, but sealed to the long-term key alone, though it is no first word."""

    forgeries: int = 0
    """Opened, but not signed by the sender that they name."""

    replays: int = 0
    """Said before."""

    stale: int = 0
    """Dated outside the window, or at or below what has been forgotten, by senders that did not prove their clock: wrong clocks of older builds
    show here. One that is kept until its sender has answered is counted here meanwhile."""

    delivered: int = 0
    """Signals handed to the session."""

    clocks: int = 0
    """Questions for our clock, and answers about others'."""

    links: int = 0
    """Hellos, challenges and echoes of unicast neighbours."""

    acknowledgements_received: int = 0

    acknowledgements_sent: int = 0

    reassembly_evictions: int = 0
    """Partial messages given up because they grew old or too many."""

    transmitted: int = 0
    """Datagrams given to the transport; one that goes out on several paths counts once."""

    repeated: int = 0
    """Direct signals sent again for want of an acknowledgement."""

    given_up: int = 0
    """Direct signals that nobody acknowledged."""

    relayed: int = 0
    relays_limited: int = 0
    """Datagrams not passed on because their source, or all together, sent too many."""

    relays_spared: int = 0
    """Datagrams not passed on because another relay was quicker."""
