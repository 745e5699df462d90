"""Times and bounds of the gossip, each with its reason."""

import msgspec


class GossipSettings(msgspec.Struct, frozen=True):
    """Immutable. The defaults are for a LAN with up to a few dozen sessions."""

    repeat_after_s: tuple[float, ...] = (0.08, 0.15, 0.3, 0.6, 1.0, 2.0)
    """Silence before each repetition of an unacknowledged signal; the last one holds from then on. On a LAN an answer
    takes some milliseconds, so the first repetitions may be quick: with 30 % of datagrams lost, half of the exchanges
    fail the first time, and four out of a hundred after four tries, half a second."""

    reseal_after_s: float = 5.0
    """A signal that is still unacknowledged gets a new time and id, so that its receiver knows that it is still meant."""

    offer_lasts_s: float = 10.0
    """Who still offers has sealed its offer anew since. One of an older date is not meant any more: a server that stood still passes on what it was
    told before, to somebody who was out of reach when it was withdrawn."""

    presence_lasts_s: float = 5.0
    """It says who is there now. Clocks that differ by more are asked for once."""

    offer_looked_at_again_after_s: float = 30.0
    """One that found no place here, or was not believed."""

    give_up_after_s: float = 60.0
    """Anything but an offer: what nobody took by then has lost its meaning. An offer rings until it is stopped."""

    max_offers_unconfirmed: int = 16
    """Offers are confirmed as soon as they are received, or not at all."""

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
    """Of each class of senders; with 13 kB each under 1 MB, whatever they send."""

    partial_age_s: float = 6.0
    """Twice the longest distance of repetitions and some: fragments of two attempts complete each other."""

    replay_window_s: float = 300.0
    """How far from our clock a message may be dated whose sender has not proved its own; and from its own, if it has."""

    stranger_messages_per_source_per_s: float = 20.0
    stranger_messages_per_s: float = 40.0
    """First words, on the public channels, which everybody can send. Opening and verifying one takes 0.25 ms: 1 % of a core."""

    heard_messages_per_s: float = 100.0
    """On the channels of peers that were heard, or asked, and are no contacts: a stranger too can become one, at the pace above. Each also keeps to
    the figure per source."""

    doubtful_messages_per_s: float = 100.0
    """To a call, of dates that prove nothing."""

    member_messages_per_source_per_s: float = 100.0
    member_messages_per_s: float = 400.0
    """Contacts, those invited to an open call, and what is said to the call: a budget each. 32 members announce every second."""

    sources: int = 512
    """Peers, or addresses, with a budget of their own, in each class."""

    reacknowledgements_per_s: float = 50.0
    """Answers to repetitions of what was delivered: bounds what a replayed datagram makes us send."""

    learned_paths: int = 32
    """Unicast addresses that said hello to us, and are therefore sent to as well, one datagram each."""

    learned_paths_per_host: int = 2
    """Of one address, with IPv6 of one /64, which is one machine's: of the sessions of a machine one passes on what comes to the others."""

    hello_every_s: float = 15.0
    learned_path_age_s: float = 60.0
    """An address is forgotten after it was silent for four hellos."""

    displace_path_after_s: float = 40.0
    """A full table takes a newcomer only in the place of one that missed two hellos."""

    link_answers_per_s: float = 20.0
    """Challenges and echoes: bounds what spoofed hellos make us send."""

    first_greetings_after_s: tuple[float, ...] = (0.3, 1.0, 3.0)
    """Between the first greetings on new paths: one may be lost, and a switch may need a moment to pass multicast."""

    greet_every_s: float = 10.0
    """From then on. Fifty sessions make five datagrams a second."""

    quiet_paths: int = 8
    """Interfaces on which nobody was heard and everything is sent all the same."""

    lively_for_s: float = 35.0
    """Three greetings, and some: for so long a path counts as one with somebody behind it."""

    lively_datagrams: int = 1_024
    """Fingerprints kept to know by which path each came first. Copies come within milliseconds of each other."""

    greetings_per_source_per_s: float = 2.0
    greetings_per_s: float = 20.0
    """Those that are looked at: each may cost the sealing of a presence, 0.2 ms. A session greets four times in its first seconds, by all its
    paths; what one address says more often takes nothing from the others."""

    version_lasts_s: float = 60.0
    """So long after another version of the protocol was heard the named word goes out, and its address gets no second answer."""

    version_answers_per_s: float = 2.0
    versions_told_per_s: float = 1.0
    versions_heard: int = 64
    """Addresses; what spoofed ones make us send and tell is bounded by these three."""

    route_age_s: float = 60.0
    """How long the address of a peer's last signed message is believed to reach it."""

    clock_question_after_s: tuple[float, ...] = (0.08, 0.15, 0.3, 0.6, 1.0)
    """Silence before each repetition of a question for a peer's clock, and before it is given up."""

    clock_question_rests_s: tuple[float, ...] = (0.5, 5.0, 30.0, 60.0)
    """After each question that was given up: an older build does not answer, however often it is asked."""

    clock_question_rests_of_invited_s: tuple[float, ...] = (0.5, 2.0, 5.0)
    """The same for who is in a call with us, and for contacts: one that stood still as it came is not to be missing for half a minute."""

    clock_answer_gap_s: float = 1.0
    """Whoever repeats what a peer once said cannot make us ask it more often than this."""

    clock_answer_lasts_s: float = 1.0
    """Who has answered so lately is not asked back when it asks: or two would ask each other for ever."""

    clock_recheck_s: float = 30.0
    """After an answer of a clock that differs: it may be set right."""

    clock_questions_per_s: float = 10.0
    clock_questions_to_invited_per_s: float = 20.0
    clock_questions_to_contacts_per_s: float = 20.0
    """Of their own, so that strangers who sign well do not keep them waiting. All of them cost 1 % of a core."""

    clock_answers_per_s: float = 20.0
    """For each class of senders."""

    clock_answers_per_peer_per_s: float = 4.0
    clock_questions: int = 256
    """Peers asked, or whose answer is remembered, at a time."""

    kept_messages_per_peer: int = 8
    kept_messages: int = 64
    kept_for_s: float = 3.0
    """Messages whose sender is being asked for its clock: with 13 kB each under 1 MB."""

    clock_told_from_s: float = 30.0
    """Who dates its messages so far from our clock is asked for its own, though they are believed."""

    clock_set_s: float = 2.0
    """Our wall clock was set when it runs from our monotonic one by so much between two looks."""

    heard_lately_s: float = 10.0
    """Who spoke so lately is asked, and so told to ask, when our own clock was set."""

    clock_set_asks_for_s: float = 30.0
    """So long after our clock was set whoever is heard is asked, if it was not yet: links come back, and peers with them, after a sleep."""

    max_routes: int = 512

    deaf_for_s: float = 3.5
    """Who asks for a reply gets by unicast what it misses for so long: it asks every second while it hears no multicast of ours, so that three
    questions in a row must be lost."""

    max_deaf: int = 64
    max_deaf_of_peer: int = 2
    """Sessions of one identity. Bounds what one question makes us send, wherever it claims to come from."""

    claimed_after_s: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
    """Between presences to an address that nobody but DNS-SD has named; the last one holds from then on."""
