"""What a third party that carries all datagrams of two sessions sees of them, over two days and a call."""

import itertools
from collections import defaultdict
from collections.abc import Sequence

import pytest

from blink_cli.core.gossip import Path, PathKind, Received
from blink_cli.core.gossip.datagram import HEADER_BYTES
from blink_cli.core.presence.presence import BROKER_ALIVE_S, BROKER_PROBE_S, PresenceTable, SendPresence
from blink_cli.core.signaling.channel_seal import SEALED_BYTES
from blink_cli.core.signaling.signals import Announce, Leave, Presence
from blink_cli.core.signaling.topics import DAY_MS, days_around, knock_channel, public_channel
from tests.core.gossip.parts import CALL_ID, GROUP_KEY, LAN, WALL_S, Party, Wire, offer

BROKER = Path(PathKind.LAN, "broker", overheard=True)
DAY_S = DAY_MS / 1000


class Pair:
    """Two contacts with presence, as sessions run them, and all that the path between them carried."""

    def __init__(self, path: Path) -> None:
        self.parties = [Party(number, paths=(path,)) for number in (1, 2)]
        self.wire = Wire([*self.parties])
        self.tables = [PresenceTable(party.did) for party in self.parties]
        self.seen: list[tuple[float, Party, bytes]] = []
        self._told = [0, 0]
        for table, party, other in self.both():
            party.gossip.set_contacts(frozenset({other.did}))
            party.gossip.greet_as("nick-of-it")
            self.say(party, table.contacts(frozenset({other.did}), self.wire.now_s))

    def both(self) -> list[tuple[PresenceTable, Party, Party]]:
        return [(self.tables[n], self.parties[n], self.parties[1 - n]) for n in (0, 1)]

    def say(self, party: Party, effects: Sequence[object]) -> None:
        for effect in effects:
            if isinstance(effect, SendPresence):
                self.wire.do(
                    party,
                    party.gossip.send_to_peer(
                        effect.peer,
                        Presence("nick-of-it", effect.reply_wanted),
                        None,
                        self.wire.now_s,
                        self.wire.wall_s(party),
                        off_pace=effect.off_pace,
                    ),
                )

    def run(self, seconds: float, *, in_call: bool = False) -> None:
        end_s, sequence = self.wire.now_s + seconds, 0
        step_s = 0.02
        while self.wire.now_s < end_s:
            self.wire.run(step_s)
            for number, (table, party, other) in enumerate(self.both()):
                if party not in self.wire.parties:
                    continue
                for told in party.told[self._told[number] :]:
                    if isinstance(told, Received) and isinstance(told.signal, Presence):
                        heard = table.presence(
                            other.did,
                            "",
                            "broker:1",
                            self.wire.now_s,
                            reply_wanted=told.signal.reply_wanted,
                            overheard=told.path.overheard,
                        )
                        self.say(party, [*heard])
                    elif isinstance(told, Received):
                        heard = table.heard(other.did, self.wire.now_s, overheard=told.path.overheard)
                        self.say(party, [*heard])
                self._told[number] = len(party.told)
                due = table.next_timeout()
                if due is not None and due <= self.wire.now_s:
                    self.say(party, [*table.handle_timeout(self.wire.now_s)])
            sequence += 1
            if in_call and sequence % 47 == 0:
                for party in self.parties:
                    said = Announce(
                        1,
                        sequence,
                        "nick-of-it",
                        muted=bool(sequence % 2),
                        deafened=False,
                        recording=False,
                        hears=(),
                    )
                    self.wire.send_to_call(party, said)
            self.seen += [(self.wire.now_s, sender, said) for sender, _, said in self.wire.carried]
            self.wire.carried.clear()


def topics(seen: list[tuple[float, Party, bytes]], sender: Party) -> set[bytes]:
    return {said[5:21] for _, by, said in seen if by is sender}


def test_two_days_and_a_call_tell_a_broker_no_name_no_lasting_topic_and_no_more_than_a_pace() -> None:
    pair = Pair(BROKER)
    anna, bob = pair.parties
    midnight_s = DAY_S - WALL_S % DAY_S
    pair.wire.now_s = midnight_s - 30.0
    pair.run(60.0)  # over midnight
    days = [pair.seen[:]]
    pair.seen.clear()
    pair.wire.now_s += DAY_S
    pair.run(12.0)
    settled = len(pair.seen)
    pair.run(30.0)
    quiet = pair.seen[settled:]
    pair.wire.send_to_peer(anna, bob, offer(anna, bob))
    for party in pair.parties:
        party.gossip.open_call(CALL_ID, GROUP_KEY, (anna.did, bob.did))
    began = len(pair.seen)
    pair.run(30.0, in_call=True)
    pair.wire.send_to_call(anna, Leave(1), copies=2)
    for party in pair.parties:
        party.gossip.close_call(CALL_ID)
    pair.run(5.0)
    called = pair.seen[began:]
    days.append(pair.seen)
    assert offer(anna, bob) in bob.received

    everything = b"".join(said for seen in days for _, _, said in seen)
    for party in pair.parties:
        assert party.did.encode() not in everything
        assert party.identity.public_key not in everything
    assert b"nick-of-it" not in everything
    assert CALL_ID.encode() not in everything
    assert GROUP_KEY not in everything
    assert {len(said) for seen in days for _, _, said in seen} <= {
        HEADER_BYTES + size for size in SEALED_BYTES
    }

    for party in pair.parties:
        assert topics(days[0], party).isdisjoint(topics(days[1], party)), (
            "topics of two days have nothing in common"
        )
        spoken = topics(days[0], party) | topics(days[1], party)
        for number in range(-1, 4):
            now_ms = round((WALL_S + midnight_s + number * DAY_S) * 1000)
            public = {
                public_channel(p.identity.public_key, day).topic
                for p in pair.parties
                for day in days_around(now_ms)
            }
            assert spoken.isdisjoint(public), "contacts need no first words"

    for sender in pair.parties:
        # Of the pair's channel in a call and out of it: the same times, the same sizes.
        own = topics(quiet, sender)
        assert len(own) == 1
        for seen in (quiet, called):
            times = [at_s for at_s, by, said in seen if by is sender and said[5:21] in own and said[2] == 0]
            by_second: defaultdict[int, int] = defaultdict(int)
            for at_s in times:
                by_second[round((at_s - times[0]) / BROKER_PROBE_S)] += 1
            assert set(by_second) == set(range(len(by_second))), "every five seconds"
            if seen is quiet:
                gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
                assert all(gap == pytest.approx(BROKER_PROBE_S, abs=0.041) for gap in gaps), gaps


@pytest.mark.parametrize(
    ("path", "asks_between", "silent_s"), [(BROKER, False, BROKER_ALIVE_S - 1.0), (LAN, True, 2.8)]
)
def test_who_is_not_heard_is_asked_between_where_nobody_overhears_it(
    path: Path,
    asks_between: bool,  # noqa: FBT001 - parametrised
    silent_s: float,
) -> None:
    pair = Pair(path)
    anna, bob = pair.parties
    pair.run(10.0)
    pair.seen.clear()
    pair.wire.parties.remove(bob)  # his process stands still
    pair.run(silent_s)
    own = {said[5:21] for _, by, said in pair.seen if by is anna} & set(bob.gossip.topics())
    times = {at_s for at_s, by, said in pair.seen if by is anna and said[5:21] in own}
    assert (len(times) > 4) is asks_between
    assert len(times) >= 2


def test_on_the_lan_who_is_not_known_is_spoken_to_by_topics_that_differ_each_time() -> None:
    stranger, bob = Party(9), Party(2)
    wire = Wire([stranger, bob])
    for _ in range(6):
        wire.send_to_peer(stranger, bob, Presence("x", reply_wanted=True), None)
        wire.run(100.0)
    said = [datagram for sender, _, datagram in wire.carried if sender is stranger]
    knocks = [one for one in said if knock_channel(bob.identity.public_key, one[5:13]).topic == one[5:21]]
    assert len(bob.received) == 6
    assert len(knocks) >= 3
    assert len({one[5:21] for one in knocks}) == len(knocks)
