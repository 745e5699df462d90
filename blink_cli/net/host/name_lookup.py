"""Looks a host's name up without ever holding up the end of the program.

asyncio's own `getaddrinfo` runs in the loop's executor, whose threads Python joins at exit: a resolver that does not answer
(ten seconds, by default) would keep a session that was told to quit.
"""

import asyncio
import contextlib
import socket
import threading
from ipaddress import ip_address

from blink_cli.runtime.loop_bridge import LoopBridge


async def ipv4_address(host: str) -> str:
    """Return the first IPv4 address of a host; at once when it is one already.

    Cancelling it leaves the system's resolver to itself, in a daemon thread.

    Raises:
        OSError: There is no such name, or nobody to ask.

    """
    return (await _look_up(host, socket.AF_INET))[0]


async def host_addresses(host: str) -> tuple[str, ...]:
    """Return the first address of each family that a host has, in the system's order of preference (RFC 6724); of an address, itself.

    A link-local IPv6 address has its zone. Cancelling is as in `ipv4_address`.

    Raises:
        OSError: There is no such name, or nobody to ask.

    """
    found = await _look_up(host, socket.AF_UNSPEC)
    first = {":" in address: address for address in reversed(found)}
    return tuple(address for address in found if address in first.values())


async def _look_up(host: str, family: int) -> tuple[str, ...]:
    """All addresses, each once; never none."""
    with contextlib.suppress(ValueError):
        if family == socket.AF_UNSPEC or ip_address(host).version == 4:
            return (str(ip_address(host)),)
    answer: asyncio.Future[tuple[str, ...]] = asyncio.get_running_loop().create_future()
    bridge = LoopBridge()

    def settle(found: tuple[str, ...] | OSError) -> None:
        if answer.done():
            return  # nobody waits any more
        if isinstance(found, OSError):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def look_up() -> None:
        found: tuple[str, ...] | OSError
        try:
            answers = socket.getaddrinfo(host, None, family, socket.SOCK_DGRAM)
            found = tuple(dict.fromkeys(str(address[0]) for *_, address in answers))
        except (OSError, UnicodeError) as failure:  # Unicode: a label of more than 63 characters
            found = OSError(str(failure))
        bridge.call(settle, found)

    threading.Thread(target=look_up, name=f"blink look up {host}", daemon=True).start()
    return await answer
