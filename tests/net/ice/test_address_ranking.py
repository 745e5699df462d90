"""Which addresses a link uses, of many."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.net.host.interfaces import Interface, InterfaceAddress
from blink_cli.net.ice.address_ranking import (
    MAX_INDIRECT_CANDIDATES,
    MAX_LOCAL_ADDRESSES,
    MAX_REMOTE_CANDIDATES,
    RemoteAddress,
    rank_local,
    rank_remote,
)

pytestmark = pytest.mark.no_clock

LO = Interface("lo", 1, loopback=True, addresses=(InterfaceAddress("127.0.0.1", 8),))


def interface(
    index: int, *addresses: str, carrier: bool = True, has_default_route: bool = False
) -> Interface:
    """An interface with addresses as `ADDRESS/LENGTH`; a `~` in front makes one temporary."""
    return Interface(
        f"eth{index}",
        index,
        loopback=False,
        addresses=tuple(
            InterfaceAddress(
                text.removeprefix("~").partition("/")[0],
                int(text.partition("/")[2]),
                temporary=text.startswith("~"),
            )
            for text in addresses
        ),
        carrier=carrier,
        has_default_route=has_default_route,
    )


def names(interfaces: list[Interface], **hints: tuple[str, ...]) -> list[str]:
    return [own.address for own in rank_local(interfaces, **hints)]


def bridges(count: int, first: int = 2) -> list[Interface]:
    return [interface(first + n, f"172.{18 + n}.0.1/16") for n in range(count)]


def test_the_network_of_the_peers_signals_comes_first_then_the_one_with_a_router() -> None:
    lan = interface(40, "10.77.0.1/24")
    home = interface(41, "192.168.1.7/24", has_default_route=True)
    present = [LO, *bridges(25), lan, home]
    assert names(present, heard_from=("10.77.0.2",))[:2] == ["10.77.0.1", "192.168.1.7"]
    assert names(present)[0] == "192.168.1.7"
    assert names(present, heard_from=("203.0.113.9",), spoken_from=("192.168.1.7",))[0] == "192.168.1.7"


def test_what_passes_away_is_repeated_or_has_no_cable_comes_last() -> None:
    present = [
        interface(2, "172.17.0.1/16", carrier=False),
        interface(
            3, "~2001:db8::9/64", "2001:db8::1/64", "10.0.0.1/24", "10.0.0.2/24", has_default_route=True
        ),
        interface(4, "10.1.0.1/24"),
    ]
    assert names(present) == ["2001:db8::1", "10.0.0.1", "10.1.0.1", "10.0.0.2", "2001:db8::9", "172.17.0.1"]
    # The system itself speaks from the temporary one; without a cable nothing helps.
    assert names(present, heard_from=("2001:db8::2",), spoken_from=("2001:db8::9",))[0] == "2001:db8::9"
    assert names(present, heard_from=("172.17.0.2",), spoken_from=("172.17.0.1",))[-1] == "172.17.0.1"


def test_both_families_of_the_peers_interface_come_before_others() -> None:
    present = [*bridges(20), interface(40, "10.77.0.1/24", "fd77::1/64", "fe80::1%eth40/64")]
    assert names(present, heard_from=("10.77.0.2",))[:2] == ["10.77.0.1", "fd77::1"]
    assert names(present, heard_from=("fd77::2",))[:2] == ["fd77::1", "10.77.0.1"]
    assert "fe80::1%eth40" not in names(present, heard_from=("10.77.0.2",))
    assert names(present, heard_from=("fe80::2%eth40",))[0] == "fe80::1%eth40"


def test_link_local_zones_are_told_apart() -> None:
    present = [interface(n, f"fe80::{n}%eth{n}/64") for n in range(2, 32)]
    assert names(present, heard_from=("fe80::99%eth17",))[0] == "fe80::17%eth17"
    assert not any(own.shares_subnet for own in rank_local(present)), "a zone is a subnet of its own"


def test_two_adapters_on_one_subnet_are_known_and_the_one_that_died_is_second() -> None:
    present = [interface(2, "10.66.0.1/24"), interface(3, "10.66.0.2/24"), interface(4, "10.67.0.1/24")]
    ranked = rank_local(present, heard_from=("10.66.0.9",), spoken_from=("10.66.0.1",))
    assert [(own.address, own.shares_subnet) for own in ranked] == [
        ("10.66.0.1", True),
        ("10.66.0.2", True),
        ("10.67.0.1", False),
    ]
    after = names(present, heard_from=("10.66.0.9",), spoken_from=("10.66.0.1",), avoid=("10.66.0.1",))
    assert after == ["10.66.0.2", "10.66.0.1", "10.67.0.1"]


def test_loopback_is_for_machines_that_have_nothing_else() -> None:
    lan = interface(2, "10.0.0.1/24")
    assert names([LO]) == ["127.0.0.1"]
    assert names([LO, lan]) == ["10.0.0.1"]
    assert names([LO, lan], wanted=("127.0.0.1",)) == ["127.0.0.1"]


@st.composite
def machines(draw: st.DrawFn) -> list[Interface]:
    """Up to 30 interfaces with up to 8 addresses each, of both families, in any order."""
    found = []
    for index in range(2, 2 + draw(st.integers(1, 30))):
        own = [
            draw(
                st.sampled_from(
                    [
                        f"10.{index}.{n}.1/24",
                        f"10.{index}.0.{n + 1}/24",
                        f"fd00:{index:x}:{n:x}::1/64",
                        f"~fd00:{index:x}::{n + 2:x}/64",
                    ]
                )
            )
            for n in range(draw(st.integers(1, 8)))
        ]
        found.append(
            interface(
                index,
                *dict.fromkeys(own),
                carrier=draw(st.integers(0, 3)) > 0,
                has_default_route=draw(st.booleans()),
            )
        )
    return draw(st.permutations(found))


@given(machines(), st.data())
def test_the_peer_is_reached_on_whichever_interface_it_is(
    present: list[Interface], data: st.DataObject
) -> None:
    where = data.draw(st.sampled_from(present))
    own = data.draw(st.sampled_from(where.addresses))
    network = ip_network((own.address, own.prefix_length), strict=False)
    peer = str(network.network_address + 200)
    ranked = rank_local(present, heard_from=(peer,))
    assert sorted(found.address for found in ranked) == sorted(
        found.address for interface in present for found in interface.addresses
    ), "nothing is invented and nothing lost: what is not used can be named"
    used = ranked[:MAX_LOCAL_ADDRESSES]
    if where.carrier and any(
        not found.temporary and ip_address(found.address) in network for found in where.addresses
    ):
        assert ip_address(used[0].address) in network
    with_cable = [
        found.interface for found in ranked if found.interface in {i.name for i in present if i.carrier}
    ]
    assert [found.interface for found in ranked][: len(with_cable)] == with_cable


@given(
    st.lists(st.integers(0, 255).map(lambda n: f"172.18.{n}.7"), max_size=120, unique=True),
    st.integers(0, 20),
    st.integers(0, 120),
)
def test_a_candidate_on_our_subnet_survives_the_cut(far: list[str], indirect: int, place: int) -> None:
    local = rank_local([interface(2, "10.77.0.1/24")])
    candidates = [RemoteAddress(host, is_direct=True) for host in far]
    candidates.insert(min(place, len(candidates)), RemoteAddress("10.77.0.2", is_direct=True))
    candidates += [RemoteAddress(f"198.51.100.{n}", is_direct=False) for n in range(indirect)]
    ranked = rank_remote(candidates, local)
    assert candidates[ranked[0]].host == "10.77.0.2"
    assert len(ranked) == min(len(candidates), MAX_REMOTE_CANDIDATES)
    assert len(set(ranked)) == len(ranked)
    kept = sum(not candidates[position].is_direct for position in ranked)
    assert kept >= min(indirect, MAX_INDIRECT_CANDIDATES), "a relay works where nothing else does"


def test_among_equals_the_peers_own_order_counts_and_what_cannot_be_paired_is_last() -> None:
    local = rank_local([interface(2, "10.77.0.1/24")])
    hosts = ["fd00::2", "192.0.2.5", "192.0.2.4", "10.77.0.9", "10.77.0.8"]
    candidates = [RemoteAddress(host, is_direct=True) for host in hosts]

    def order(**hints: tuple[str, ...]) -> list[str]:
        return [hosts[position] for position in rank_remote(candidates, local, **hints)]

    assert order() == ["10.77.0.9", "10.77.0.8", "192.0.2.5", "192.0.2.4", "fd00::2"]
    assert order(heard_from=("192.0.2.4",))[0] == "192.0.2.4"
    assert order(avoid=("10.77.0.9",))[0] == "10.77.0.8"


def test_what_was_never_tried_has_its_turn_when_no_way_was_found() -> None:
    local = rank_local([interface(2, "10.77.0.1/24")])
    candidates = [RemoteAddress(f"192.0.2.{n}", is_direct=True) for n in range(40)]
    first = rank_remote(candidates, local)
    again = rank_remote(candidates, local, tried={candidates[position].host for position in first})
    assert again[:4] == first[:4]
    assert not set(first[4:]) & set(again[4:])
