"""Times and bounds of the gossip, each with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GossipSettings:
    """Immutable. The defaults are for a LAN with up to a few dozen sessions."""

    repeat_after_s: tuple[float, ...] = (0.08, 0.15, 0.3, 0.6, 1.0, 2.0)
    """Silence before each repetition of an unacknowledged signal; the last one holds from then on. On a LAN an answer
    takes some milliseconds, so the first repetitions may be quick: with 30 % of datagrams lost, half of the exchanges
    fail the first time, and four out of a hundred after four tries, half a second."""

    reseal_after_s: float = 60.0
    """A signal that is still unacknowledged gets a new time and id, so that it does not fall out of the receiver's window."""

    give_up_after_s: float = 60.0
    """Anything but an offer: what nobody took by then has lost its meaning. An offer rings until it is stopped."""

    max_outgoing: int = 512
    """Unacknowledged signals; the oldest goes first. A call of 32 needs under 100."""

    copy_distance_s: float = 0.06
    """Between the copies of a signal to the call: further apart than most bursts of loss are long."""

    max_copies_waiting: int = 64

    ttl: int = 4
    """Relays that a datagram may pass."""

    relay_delay_s: tuple[float, float] = (0.002, 0.02)
    """Waited before relaying, drawn anew each time: of several relays between two networks the first one is heard by the
    others, which then keep quiet."""

    max_relays_waiting: int = 256

    relays_per_source_per_s: float = 100.0
    relays_per_s: float = 500.0

    seen_datagrams: int = 8_192
    """Fingerprints kept of datagrams, against passing one on twice: some seconds of the fastest stream we read."""

    delivered_messages: int = 4_096
    """Ids kept of messages, so that a repetition is answered without public-key operations. Older ones meet the replay window."""

    partial_messages_per_source: int = 8
    partial_messages: int = 64
    """With 13 kB each: under 1 MB, whatever strangers send."""

    partial_age_s: float = 6.0
    """Twice the longest distance of repetitions and some: fragments of two attempts complete each other."""

    replay_window_s: float = 300.0
    """How far clocks may be apart."""

    stranger_messages_per_source_per_s: float = 20.0
    stranger_messages_per_s: float = 40.0
    """Sealed messages from addresses that never sent anything valid. Opening and verifying one takes 0.25 ms: 1 % of a core."""

    proven_messages_per_s: float = 100.0
    """From addresses that did, which a stranger too can become, at the pace above; each also keeps to the figure per source."""

    member_messages_per_source_per_s: float = 100.0
    member_messages_per_s: float = 400.0
    """Sealed with the group key of an open call: its members only. 32 members announce every second."""

    sources: int = 512
    """Addresses with a budget of their own, in each class."""

    reacknowledgements_per_s: float = 50.0
    """Answers to repetitions of what was delivered: bounds what a replayed datagram makes us send."""

    learned_paths: int = 32
    """Unicast addresses that said hello to us, and are therefore sent to as well."""

    hello_every_s: float = 15.0
    learned_path_age_s: float = 60.0
    """An address is forgotten after it was silent for four hellos."""

    displace_path_after_s: float = 40.0
    """A full table takes a newcomer only in the place of one that missed two hellos."""

    link_answers_per_s: float = 20.0
    """Challenges and echoes: bounds what spoofed hellos make us send."""

    route_age_s: float = 60.0
    """How long the address of a peer's last signed message is believed to reach it."""

    max_routes: int = 512
