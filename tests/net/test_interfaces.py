"""Interfaces as this machine has them, and how they are chosen."""

import pytest

from blink_cli.core.errors import UsageError
from blink_cli.net.interfaces import Interface, choose_interfaces, list_interfaces, require_interfaces

LO = Interface("lo", "127.0.0.1", 1, loopback=True)
ETH = Interface("eth0", "192.0.2.2", 2, loopback=False)


def test_loopback_is_among_those_of_this_machine() -> None:
    loopback = [found for found in list_interfaces() if found.address == "127.0.0.1"]
    assert len(loopback) == 1
    assert loopback[0].loopback
    assert loopback[0].index > 0


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ((), (LO, ETH)),
        (("eth0",), (ETH,)),
        (("127.0.0.1",), (LO,)),
        (("127.0.0.1", "192.0.2.2"), (LO, ETH)),
        (("x",), ()),
    ],
)
def test_choice_by_address_or_name(wanted: tuple[str, ...], chosen: tuple[Interface, ...]) -> None:
    assert choose_interfaces(wanted, (LO, ETH)) == chosen


def test_one_that_is_missing_is_an_error_that_names_the_others() -> None:
    with pytest.raises(UsageError) as refused:
        require_interfaces(("192.0.2.2", "10.9.9.9"), (LO, ETH))
    assert "10.9.9.9" in refused.value.message
    assert "192.0.2.2 (eth0)" in (refused.value.hint or "")
