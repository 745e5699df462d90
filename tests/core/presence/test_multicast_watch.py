"""Said once when multicast stops, once when it passes again, and not for what one peer or some loss does."""

from blink_cli.core.api.events import MulticastResumed, MulticastStopped
from blink_cli.core.fact import Emit
from blink_cli.core.ids import Did
from blink_cli.core.presence.multicast_watch import MulticastWatch

BOB, CAROL = Did("did:key:zBob"), Did("did:key:zCarol")
ETH0, ETH1 = "192.0.2.1", "198.51.100.1"


def test_it_is_said_once_that_it_stopped_and_once_that_it_passes_again() -> None:
    watch = MulticastWatch()
    assert watch.by_multicast(BOB, ETH0, 100.0) == []
    told = [(second, effect) for second in range(101, 140) for effect in watch.otherwise(BOB, float(second))]
    ((second, effect),) = told
    assert effect == Emit(MulticastStopped(interface=ETH0))
    assert 103 <= second <= 106
    assert watch.by_multicast(BOB, ETH0, 140.0) == [Emit(MulticastResumed(interface=ETH0))]
    assert watch.by_multicast(BOB, ETH0, 141.0) == []


def test_one_peer_whose_multicast_fails_is_no_fault_of_the_network() -> None:
    watch = MulticastWatch()
    watch.by_multicast(BOB, ETH0, 100.0)
    for second in range(101, 140):
        watch.by_multicast(CAROL, ETH0, float(second))
        assert watch.otherwise(BOB, second + 0.5) == []


def test_each_interface_is_judged_alone() -> None:
    watch = MulticastWatch()
    watch.by_multicast(BOB, ETH0, 100.0)
    watch.by_multicast(CAROL, ETH1, 100.0)
    told = []
    for second in range(101, 110):
        watch.by_multicast(CAROL, ETH1, float(second))
        told += watch.otherwise(BOB, float(second))
    assert told == [Emit(MulticastStopped(interface=ETH0))]


def test_a_cable_that_is_plugged_in_again_is_no_stop() -> None:
    watch = MulticastWatch()
    watch.by_multicast(BOB, ETH0, 100.0)
    assert watch.otherwise(BOB, 130.0) == []
    assert watch.by_multicast(BOB, ETH0, 130.1) == []


def test_where_nothing_ever_came_by_multicast_that_is_said_too() -> None:
    watch = MulticastWatch()
    told = [effect for second in range(100, 110) for effect in watch.otherwise(BOB, float(second))]
    assert told == [Emit(MulticastStopped(interface=None))]
    assert watch.by_multicast(BOB, ETH0, 110.0) == [Emit(MulticastResumed(interface=None))]
