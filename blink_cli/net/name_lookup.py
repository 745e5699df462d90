"""Looks a host's name up without ever holding up the end of the program.

asyncio's own `getaddrinfo` runs in the loop's executor, whose threads Python joins at exit: a resolver that does not answer
(ten seconds, by default) would keep a session that was told to quit.
"""

import asyncio
import contextlib
import socket
import threading
from ipaddress import AddressValueError, IPv4Address


async def ipv4_address(host: str) -> str:
    """Return the first IPv4 address of a host; at once when it is one already.

    Cancelling it leaves the system's resolver to itself, in a daemon thread.

    Raises:
        OSError: There is no such name, or nobody to ask.

    """
    try:
        return str(IPv4Address(host))
    except AddressValueError:
        pass
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def settle(found: str | OSError) -> None:
        if answer.done():
            return  # nobody waits any more
        if isinstance(found, str):
            answer.set_result(found)
        else:
            answer.set_exception(found)

    def look_up() -> None:
        found: str | OSError
        try:
            found = str(socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_DGRAM)[0][4][0])
        except (OSError, UnicodeError) as failure:  # Unicode: a label of more than 63 characters
            found = OSError(str(failure))
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever asked
            loop.call_soon_threadsafe(settle, found)

    threading.Thread(target=look_up, name=f"blink look up {host}", daemon=True).start()
    return await answer
