"""What a server that stood still passes on long after it was said: an offer that was withdrawn rings nowhere, and nobody appears who has gone."""

import pytest

from blink_cli.core.gossip import Path, PathKind
from blink_cli.core.signaling.signals import Busy, Cancel, DirectSignal, Offer, Presence
from tests.core.gossip.parts import CALL_ID, LAN, Party, Wire, offer

BROKER = Path(PathKind.BROKER, "nats", "nats", overheard=True)


def said_into_a_server_that_stands_still(wire: Wire, sender: Party, signal: DirectSignal) -> list[bytes]:
    """And not heard by anybody."""
    receiver = wire.parties.pop()
    wire.carried.clear()
    wire.send_to_peer(sender, receiver, signal)
    receiver.gossip.begin(wire.now_s, wire.wall_s(receiver))
    sender.gossip.stop_sending(CALL_ID, receiver.did)
    wire.parties.append(receiver)
    return [datagram for _, _, datagram in wire.carried]


def two(*, clock_error_s: float = 0.0, proved: bool = False) -> tuple[Wire, Party, Party]:
    anna, bert = Party(1, paths=(BROKER,)), Party(2, paths=(BROKER,))
    wire = Wire([anna, bert])
    anna.clock_error_s = clock_error_s
    if proved:
        anna.clock_error_s = -3_600.0
        wire.send_to_peer(anna, bert, Cancel(CALL_ID))
        wire.run(1.0)
        assert bert.received == [Cancel(CALL_ID)], (
            "an hour is more than any date can bear: it was asked for its clock"
        )
        bert.told.clear()
    for party in wire.parties:
        for other in wire.parties:
            party.gossip.set_contacts(frozenset({other.did}))
    return wire, anna, bert


@pytest.mark.parametrize("proved", [False, True], ids=["clocks agree", "its clock is proved"])
@pytest.mark.parametrize(
    ("signal", "late_s", "acts"),
    [
        ("offer", 9.0, True),
        ("offer", 11.0, False),
        ("offer", 290.0, False),
        ("busy", 11.0, False),
        ("presence", 4.0, True),
        ("presence", 6.0, False),
        ("cancel", 60.0, True),
    ],
)
def test_what_comes_late_acts_if_it_is_still_meant(
    signal: str, late_s: float, *, acts: bool, proved: bool
) -> None:
    wire, anna, bert = two(proved=proved)
    signals: dict[str, DirectSignal] = {
        "offer": offer(anna, bert),
        "busy": Busy(CALL_ID),
        "presence": Presence("anna", reply_wanted=False),
        "cancel": Cancel(CALL_ID),
    }
    late = said_into_a_server_that_stands_still(wire, anna, signals[signal])
    wire.now_s += late_s
    for datagram in late:
        wire.put(bert, datagram, BROKER, anna.address)
    wire.run(5.0)
    assert [type(one) for one in bert.received] == [type(signals[signal])] * acts


def test_an_offer_that_is_still_made_rings_whenever_its_receiver_comes() -> None:
    wire, anna, bert = two()
    said_to_nobody = Party(2, paths=(LAN,))
    wire.parties[1] = said_to_nobody
    wire.send_to_peer(anna, bert, offer(anna, bert))
    wire.run(47.0)
    wire.parties[1] = bert
    bert.gossip.begin(wire.now_s, wire.wall_s(bert))
    wire.run(2.1)
    assert [type(one) for one in bert.received] == [Offer]
    assert [type(one) for one in anna.acknowledged] == [Offer]


@pytest.mark.parametrize("clock_error_s", [-25.0, -8.0, 8.0, 25.0])
def test_clocks_that_differ_by_more_cost_one_question(clock_error_s: float) -> None:
    wire, anna, bert = two(clock_error_s=clock_error_s)
    asked = set[int]()
    for _ in range(5):
        wire.send_to_peer(anna, bert, Presence("anna", reply_wanted=False), None)
        wire.run(1.0)
        asked.add(anna.gossip.counters().clocks)
    wire.send_to_peer(anna, bert, offer(anna, bert))
    wire.run(0.5)
    assert [type(one) for one in bert.received] == [Presence] * 5 + [Offer]
    assert len(asked) == 1
