"""Who is sent to because he said hello, and how many of one host."""

from random import Random

import pytest

from blink_cli.core.gossip.datagram import Datagram, read_datagram
from blink_cli.core.gossip.effects import Arrival, Transmit
from blink_cli.core.gossip.neighbours import Neighbours
from blink_cli.core.gossip.paths import Address, unicast_path
from blink_cli.core.gossip.settings import GossipSettings
from tests.core.gossip.parts import LAN

SETTINGS = GossipSettings()
NAMED = unicast_path(("203.0.113.9", 7_667))
HOSTS = [f"198.51.100.{number}" for number in range(1, 100)]


def read(sent: list[Transmit]) -> Datagram:
    ((datagram,),) = [(effect.datagram for effect in sent)]
    found = read_datagram(datagram)
    assert isinstance(found, Datagram)
    return found


class Greeted:
    """A session's neighbours, and those who say hello to them and mean it."""

    def __init__(self) -> None:
        self.neighbours = Neighbours(SETTINGS, Random(1).randbytes)
        self.neighbours.set_paths((LAN, NAMED))
        self.now_s = 100.0

    def hello(self, address: Address) -> bool:
        """Say hello, echo the challenge; whether the address is sent to from then on."""
        guest = Neighbours(SETTINGS, Random(2).randbytes)
        guest.set_paths((unicast_path(("203.0.113.1", 1)),))
        self.now_s += 0.1  # within the challenges a second
        theirs = Arrival(unicast_path(address), address, self.now_s)
        ours = Arrival(unicast_path(("203.0.113.1", 1)), ("203.0.113.1", 1), self.now_s)
        challenge = self.neighbours.receive(read(guest.handle_timeout(self.now_s)), theirs)
        if challenge:
            self.neighbours.receive(read(guest.receive(read(challenge), ours)), theirs)
        return unicast_path(address) in self.paths

    @property
    def paths(self) -> tuple[object, ...]:
        return self.neighbours.all_paths(self.now_s)


@pytest.mark.parametrize(
    "addresses",
    [
        [("198.51.100.7", 1_000 + n) for n in range(100)],
        [("2001:db8::7", 1_000 + n) for n in range(100)],
        [(f"2001:db8::{n:x}", 7) for n in range(1, 100)],
        [("fe80::1%eth0", 1_000 + n) for n in range(100)],
    ],
    ids=["ports", "ports of IPv6", "addresses of one /64", "ports of a link-local address"],
)
def test_one_host_is_sent_to_at_two_addresses_at_most(addresses: list[Address]) -> None:
    greeted = Greeted()
    for address in addresses:
        greeted.hello(address)
    assert len(greeted.paths) == 2 + SETTINGS.learned_paths_per_host
    assert greeted.hello(("198.51.100.200", 7)), "another host has a place"


def test_neighbours_on_one_link_are_not_one_host() -> None:
    greeted = Greeted()
    assert all(greeted.hello((f"fe80::{n:x}%eth0", 7)) for n in range(1, 6))


def test_a_session_that_moved_to_another_port_is_sent_to_when_its_old_one_is_silent() -> None:
    greeted = Greeted()
    assert greeted.hello((HOSTS[0], 1))
    assert greeted.hello((HOSTS[0], 2))
    assert not greeted.hello((HOSTS[0], 3))
    greeted.now_s += SETTINGS.displace_path_after_s
    assert greeted.hello((HOSTS[0], 3))


def test_a_host_that_was_named_finds_a_place_among_any_number_of_others() -> None:
    greeted = Greeted()
    taken = [greeted.hello((host, 7)) for host in HOSTS]
    assert taken.count(True) == SETTINGS.learned_paths
    assert greeted.hello(("203.0.113.9", 40_000))
    assert not greeted.hello(("198.51.100.201", 7)), "nobody else does"
