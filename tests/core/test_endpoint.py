"""Addresses as users write them: what can be one is read, and everything else is refused with a hint."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.endpoint import (
    Group,
    endpoint_text,
    group_text,
    parse_endpoint,
    parse_group,
    parse_interface,
)
from blink_cli.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("10.0.0.7:7667", ("10.0.0.7", 7667)),
        ("example:1", ("example", 1)),
        ("my_host-2.example.:65535", ("my_host-2.example.", 65535)),
        ("3com.example:00080", ("3com.example", 80)),
        ("bücher.example:80", ("bücher.example", 80)),
        ("[2001:DB8:0::7]:7667", ("2001:db8::7", 7667)),
        ("[::1]:1", ("::1", 1)),
        ("[fe80::1%eth0]:7667", ("fe80::1%eth0", 7667)),
        ("[fe80::1%3]:7667", ("fe80::1%3", 7667)),
        ("[::ffff:192.0.2.7]:7667", ("192.0.2.7", 7667)),
    ],
)
def test_hosts_and_ports(text: str, endpoint: tuple[str, int]) -> None:
    assert parse_endpoint(text) == endpoint


@pytest.mark.parametrize("host", ["", "host..example", ".example", "h" * 64 + ".x", "a b", "a/b", "me@host"])
@pytest.mark.parametrize("port", ["7667"])
def test_hosts_that_no_resolver_can_be_asked_for_are_refused(host: str, port: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_endpoint(f"{host}:{port}")
    assert repr(f"{host}:{port}") in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0",
        "1.2.3.256",
        "1.2.3.4.5",
        "7",
        "::1",
        "[::]",
        "[fe80::1%]",
        "[fe80::1%a/b]",
        "[192.0.2.7]",
        "[x]",
        ":",
        ("a." * 127)[:-1] + "a",
    ],
)
def test_hosts_that_only_look_like_one_are_refused(host: str) -> None:
    with pytest.raises(UsageError):
        parse_endpoint(f"{host}:7667")


def test_a_link_local_neighbour_needs_its_interface() -> None:
    with pytest.raises(UsageError, match="link-local") as refused:
        parse_endpoint("[fe80::1]:7667")
    assert "%eth0" in (refused.value.hint or "")


@pytest.mark.parametrize("port", ["", "0", "65536", "x", "-1", "+1", "٣", "³", " 1", "9" * 5000])
def test_ports_that_there_are_not_are_refused(port: str) -> None:
    for read, host in ((parse_endpoint, "example"), (parse_group, "239.1.1.1")):
        with pytest.raises(UsageError):
            read(f"{host}:{port}")


def test_what_has_no_port_is_refused() -> None:
    for read, text in ((parse_endpoint, "example"), (parse_group, "239.1.1.1")):
        with pytest.raises(UsageError):
            read(text)


@pytest.mark.parametrize(
    "text", ["127.0.0.1:7667", "example:7667", "[fe80::1]:7667", "ff12::1:7667", "240.0.0.1:7667"]
)
def test_groups_that_are_not_multicast_are_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_group(text)
    assert "239" in (refused.value.hint or "")


def test_an_ipv4_group_stands_for_both_families_and_an_ipv6_group_for_itself() -> None:
    assert parse_group("239.255.66.76:07667") == Group("239.255.66.76", "ff12::efff:424c", 7667)
    assert parse_group("[FF12:0::efff:424c]:7667") == Group(None, "ff12::efff:424c", 7667)
    assert parse_group("224.0.0.1:1").ipv6 == "ff12::e000:1"


@pytest.mark.parametrize(
    "text",
    ["192.168.1.20", "127.0.0.1", "eth0", "br-1a2b", "eth0.100", "{4D36E972-E325}", "::1", "fe80::1%eth0"],
)
def test_interfaces_by_address_or_name(text: str) -> None:
    assert parse_interface(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "224.0.0.1",
        "0.0.0.0",
        "10.0.0",
        "1.2.3.256",
        "eth 0",
        "eth0:1",
        "::",
        "ff02::1",
        "fe80::1%",
        "../x",
        "a\nb",
        "e" * 65,
    ],
)
def test_what_no_interface_is_called_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_interface(text)
    assert refused.value.hint


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert parse_endpoint(endpoint_text(parse_endpoint(text))) == parse_endpoint(text)
    with contextlib.suppress(UsageError):
        assert parse_group(group_text(parse_group(text))) == parse_group(text)
    with contextlib.suppress(UsageError):
        assert parse_interface(parse_interface(text)) == parse_interface(text)
