"""Interfaces as this machine has them, and how they are chosen."""

import sys
import time

import pytest

from blink_cli.core.errors import UsageError
from blink_cli.lab.network.namespaces import inside, made
from blink_cli.net.host.interfaces import (
    Interface,
    InterfaceAddress,
    _list_by_getifaddrs,
    adapters_beside,
    adapters_towards,
    choose_interfaces,
    list_interfaces,
    rank_interfaces,
    require_interfaces,
    shared_networks,
)

pytestmark = pytest.mark.no_clock(sockets=True)

LO = Interface(
    "lo", 1, loopback=True, addresses=(InterfaceAddress("127.0.0.1", 8), InterfaceAddress("::1", 128))
)
ETH_ADDRESSES = (
    InterfaceAddress("192.0.2.2", 24),
    InterfaceAddress("2001:db8::2", 64),
    InterfaceAddress("fe80::2%eth0", 64),
)
ETH = Interface("eth0", 2, loopback=False, addresses=ETH_ADDRESSES, has_default_route=True)


def test_loopback_is_among_those_of_this_machine() -> None:
    loopback = [found for found in list_interfaces() if found.ipv4 == "127.0.0.1"]
    assert len(loopback) == 1
    assert loopback[0].loopback
    assert loopback[0].index > 0


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ((), ["127.0.0.1", "::1", "192.0.2.2", "2001:db8::2", "fe80::2%eth0"]),
        (("eth0",), ["192.0.2.2", "2001:db8::2", "fe80::2%eth0"]),
        (("192.0.2.2",), ["192.0.2.2"]),
        (("2001:DB8:0::2",), ["2001:db8::2"]),
        (("fe80::2",), ["fe80::2%eth0"]),
        (("fe80::2%eth0",), ["fe80::2%eth0"]),
        (("fe80::2%2",), ["fe80::2%eth0"]),
        (("fe80::2%3",), []),
        (("127.0.0.1",), ["127.0.0.1", "::1"]),
        (("::1", "192.0.2.2"), ["127.0.0.1", "::1", "192.0.2.2"]),
        (("x",), []),
    ],
)
def test_choice_by_address_or_name(wanted: tuple[str, ...], chosen: list[str]) -> None:
    found = choose_interfaces(wanted, (LO, ETH))
    assert [own.address for interface in found for own in interface.addresses] == chosen


def test_one_that_is_missing_is_an_error_that_names_the_others() -> None:
    with pytest.raises(UsageError) as refused:
        require_interfaces(("192.0.2.2", "10.9.9.9"), (LO, ETH))
    assert "10.9.9.9" in refused.value.message
    assert "192.0.2.2 (eth0)" in (refused.value.hint or "")


def test_the_lan_comes_before_what_is_only_there() -> None:
    bridge = Interface(
        "br0", 3, loopback=False, addresses=(InterfaceAddress("172.18.0.1", 16),), carrier=False
    )
    other = Interface("eth1", 4, loopback=False, addresses=(InterfaceAddress("10.0.0.1", 24),))
    ranked = rank_interfaces((bridge, other, LO, ETH))
    assert [found.name for found in ranked] == ["eth0", "lo", "eth1", "br0"]


def test_an_address_that_cannot_be_bound_yet_is_not_the_one_to_use() -> None:
    addresses = (
        InterfaceAddress("fe80::2%eth0", 64, tentative=True),
        InterfaceAddress("2001:db8::7", 64, temporary=True),
        InterfaceAddress("2001:db8::2", 64),
    )
    assert Interface("eth0", 2, False, addresses).ipv6 == "2001:db8::2"  # noqa: FBT003


@pytest.mark.netns
def test_everything_linux_tells_is_told() -> None:
    namespace = made(
        "blink-interfaces",
        "link add name a type veth peer name b",
        "link set dev a up",
        "link set dev b up",
        "address add 192.0.2.2/24 dev a",
        "address add 2001:db8::2/64 dev a nodad",
        "address add 2001:db8::3/64 dev a nodad preferred_lft 0",
        "address add 2001:db8::4/64 dev a",
        "address add fe80::7/64 dev b nodad",
        "route add default via 2001:db8::1 dev a",
        "link add name c type veth peer name d",
        "link set dev c up",
        "address add 198.51.100.1/25 dev c",
        "link add name e type veth peer name f",
        "address add 203.0.113.1/24 dev e",
    )
    with namespace, inside("blink-interfaces"):
        found = {interface.name: interface for interface in list_interfaces()}
    assert set(found) == {"lo", "a", "b", "c"}, "e is down, d and f are down and have no address"
    assert found["lo"].loopback
    assert [name for name, interface in found.items() if interface.has_default_route] == ["a"]
    assert [name for name, interface in found.items() if not interface.carrier] == ["c"]
    addresses = {own.address: own for own in found["a"].addresses}
    assert addresses["192.0.2.2"] == InterfaceAddress("192.0.2.2", 24)
    assert addresses["2001:db8::2"] == InterfaceAddress("2001:db8::2", 64)
    assert addresses["2001:db8::3"].deprecated
    assert addresses["2001:db8::4"].tentative
    assert "fe80::7%b" in {own.address for own in found["b"].addresses}


@pytest.mark.netns
def test_a_hundred_interfaces_are_listed_fast() -> None:
    lines = [
        line
        for i in range(100)
        for line in (
            f"link add name a{i} type veth peer name b{i}",
            f"link set a{i} up",
            f"link set b{i} up",
            f"address add 10.9.{i}.1/24 dev a{i}",
        )
    ]
    took_s = []
    with made("blink-interfaces-100", *lines), inside("blink-interfaces-100"):
        for _ in range(10):
            began_s = time.perf_counter()
            found = list_interfaces()
            took_s.append(time.perf_counter() - began_s)
    # With lo, and the link-local addresses of b0 to b99.
    assert len(found) == 201
    assert min(took_s) < 0.02, f"{min(took_s) * 1000:.1f} ms"


@pytest.mark.skipif(sys.platform != "linux", reason="compares the two ways that Linux has")
def test_the_portable_way_finds_the_same_addresses() -> None:
    def addresses(interfaces: tuple[Interface, ...]) -> set[tuple[str, str, int]]:
        return {
            (found.name, own.address, own.prefix_length) for found in interfaces for own in found.addresses
        }

    assert addresses(list_interfaces()) <= addresses(_list_by_getifaddrs())


def test_two_adapters_on_one_network_are_both_ways_to_it() -> None:
    def adapter(index: int, *addresses: tuple[str, int], carrier: bool = True) -> Interface:
        own = tuple(InterfaceAddress(*one) for one in addresses)
        return Interface(f"eth{index}", index, loopback=False, addresses=own, carrier=carrier)

    shared = shared_networks(
        (
            adapter(1, ("10.0.0.1", 24), ("fd66::1", 64), ("fe80::1%eth1", 64)),
            adapter(2, ("10.0.0.101", 24), ("fd66::101", 64), ("fe80::2%eth2", 64)),
            adapter(3, ("10.0.1.1", 24)),
            adapter(4, ("10.0.0.7", 24), carrier=False),
        )
    )
    assert adapters_towards("10.0.0.2", shared) == (1, 2)
    assert adapters_towards("fd66::2", shared) == (1, 2)
    for address in ("10.0.1.9", "192.0.2.1", "fe80::9%eth1", "127.0.0.1", "::1", "bert.local"):
        assert adapters_towards(address, shared) == ()
    # A link-local address on one of them is on the link of the other too.
    assert adapters_beside(1, shared) == adapters_beside(2, shared) == (1, 2)
    assert adapters_beside(3, shared) == adapters_beside(4, shared) == ()
