"""Names are looked up, and who does not wait for the answer is not held up by it."""

import asyncio
import socket
import threading
from typing import Any

import pytest

from blink_cli.net.host.name_lookup import host_addresses, ipv4_address

pytestmark = pytest.mark.real_time


async def test_an_address_is_its_own_name_and_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)
    assert await ipv4_address("192.0.2.7") == "192.0.2.7"


async def test_addresses_of_either_family_are_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)
    for address in ("192.0.2.7", "2001:db8::7", "fe80::1%eth0"):
        assert await host_addresses(address) == (address,)


async def test_one_address_of_each_family_in_the_systems_order(monkeypatch: pytest.MonkeyPatch) -> None:
    order = ("2001:db8::7", "2001:db8::8", "192.0.2.7", "2001:db8::7", "192.0.2.8")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [(0, 0, 0, "", (address, 0)) for address in order])
    assert await host_addresses("both.example") == ("2001:db8::7", "192.0.2.7")


async def test_a_name_of_this_machine() -> None:
    assert (await ipv4_address("localhost")).startswith("127.")


@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 64 + ".invalid"])
async def test_a_name_that_is_not_there(host: str) -> None:
    with pytest.raises(OSError, match=r"."):
        await ipv4_address(host)


async def test_a_resolver_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, release = threading.Event(), threading.Event()

    def hang(*_: Any) -> list[Any]:
        asked.set()
        release.wait(30)
        return [(0, 0, 0, "", ("192.0.2.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    looking = asyncio.get_running_loop().create_task(ipv4_address("slow.example"))
    async with asyncio.timeout(10):
        while not asked.is_set():  # noqa: ASYNC110 - a thread's event
            await asyncio.sleep(0.01)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    (thread,) = [thread for thread in threading.enumerate() if thread.name.startswith("blink look up")]
    assert thread.daemon
    release.set()
