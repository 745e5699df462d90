"""Multicast DNS: a service that is announced here is found here."""

import asyncio
import secrets
from collections.abc import Iterable
from typing import Final

from blink_cli.core.identity.identity import SEED_BYTES, Identity
from blink_cli.doctor.finding import Finding, fine, unknown, warning
from blink_cli.doctor.situation import Situation
from blink_cli.net.signaling.discovery import Discovery

NAME: Final = "discovery"
PATIENCE_S: Final = 4.0
_NICKNAME: Final = "doctor"


async def look(situation: Situation) -> Iterable[Finding]:
    """Announce a session that nobody takes for one of theirs, and look for it.

    Its group is nobody's: sessions leave others' groups alone.
    """
    if not situation.network.discovery:
        return (unknown(NAME, "off, as --no-discovery says"),)
    group = f"239.255.66.77:{secrets.randbelow(10_000) + 50_000}"
    did = Identity(secrets.token_bytes(SEED_BYTES)).did
    found = asyncio.Event()
    begun_s = asyncio.get_running_loop().time()

    def discovery(callback: asyncio.Event | None) -> Discovery:
        return Discovery(
            did,
            _NICKNAME,
            9,  # the port of "discard": nobody sends to it
            group=group,
            found=lambda *_: callback.set() if callback is not None else None,
            gone=lambda _: None,
            interfaces=situation.network.interfaces,
        )

    async with discovery(None), discovery(found):
        try:
            async with asyncio.timeout(PATIENCE_S):
                await found.wait()
        except TimeoutError:
            pass
        took_s = asyncio.get_running_loop().time() - begun_s
    if found.is_set():
        return (fine(NAME, f"a service announced by multicast DNS is found after {took_s:.1f} s"),)
    return (
        warning(
            NAME,
            f"a service that was announced by multicast DNS was not found within {PATIENCE_S:g} s",
            "Let UDP port 5353 in and out, multicast included (`ufw allow 5353/udp`, `firewall-cmd --add-service=mdns`), and see that no other program"
            " keeps it for itself (`ss -ulpn 'sport = 5353'`). Sessions on one network greet each other without it.",
        ),
    )
