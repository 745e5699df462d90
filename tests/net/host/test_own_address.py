"""An address that this machine has, and addresses that it has not."""

import socket

import pytest

from blink_cli.net.host.own_address import is_own_address

pytestmark = pytest.mark.no_clock(sockets=True)


def test_what_is_there_is_its_own() -> None:
    assert is_own_address("127.0.0.1")


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "fe80::1%nosuch0"])
def test_what_is_not_there_is_not(address: str) -> None:
    assert not is_own_address(address)


def test_what_cannot_be_found_out_is_taken_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_descriptor(*_: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(socket, "socket", no_descriptor)
    assert is_own_address("127.0.0.1")
