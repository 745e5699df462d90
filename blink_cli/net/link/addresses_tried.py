"""Between which addresses a link looks for a way, and when a link with others is more promising."""

import asyncio
import contextlib
import time
from collections.abc import Collection
from typing import Final

from blink_cli.net.library_parts import RTCIceCandidate
from blink_cli.net.link.secure_transport import SecureTransport
from blink_cli.net.link_settings import AddressesTried, LinkSettings

ADDRESSES_LOOK_S: Final = 0.5
"""How often, while a way is looked for, the machine's addresses are."""

LATE_ADDRESS_S: Final = 1.0
"""A link that stands by then does not need an address that came meanwhile."""

OTHERS_TURN_S: Final = 3.0
"""A first dialling that found no way for so long leaves the field to the addresses for which it had no room."""


def addresses_tried(
    transport: SecureTransport, theirs: Collection[RTCIceCandidate], settings: LinkSettings
) -> AddressesTried:
    """What a gathered transport tries when the other side names these candidates."""
    chosen = transport.addresses
    return AddressesTried(
        used=frozenset(own.address for own in chosen.used),
        ours=() if settings.relay_only else tuple(map(str, chosen.used)),
        left_out=() if settings.relay_only else tuple(map(str, chosen.left_out)),
        theirs=tuple(
            dict.fromkeys(candidate.ip.partition("%")[0] for candidate in transport.worth_checking(theirs))
        ),
    )


async def until_others_are_better(transport: SecureTransport, settings: LinkSettings) -> str:
    """Wait until another link would have addresses that our description does not name. Returns why, as part of a sentence."""
    chosen = transport.addresses
    others_wait = bool(chosen.left_out) and not settings.tried_local
    begun_s = time.monotonic()
    await asyncio.sleep(LATE_ADDRESS_S)
    while True:
        with contextlib.suppress(OSError):  # it does not tell now
            if transport.choose_addresses().bindable - chosen.bindable:
                return "this machine has new addresses, and no way was found over the others"
        if others_wait and transport.way is None and time.monotonic() - begun_s >= OTHERS_TURN_S:
            return "no way was found over the addresses that were tried first"
        await asyncio.sleep(ADDRESSES_LOOK_S)
