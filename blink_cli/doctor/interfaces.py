"""This machine's network interfaces: addresses, carriers, default routes."""

from collections.abc import Iterator
from typing import Final

from blink_cli.core.errors import UsageError
from blink_cli.doctor.finding import Finding, failed, fine
from blink_cli.doctor.situation import Situation
from blink_cli.net.host.interfaces import (
    Interface,
    choose_interfaces,
    list_interfaces,
    rank_interfaces,
    require_interfaces,
)

NAME: Final = "interfaces"
SHOWN: Final = 6


def look(situation: Situation) -> Iterator[Finding]:
    """List what signals and audio can use."""
    present = list_interfaces()
    try:
        chosen = require_interfaces(situation.network.interfaces, present)
    except UsageError as error:
        yield failed(NAME, error.message.removesuffix("."), error.hint or "`ip address` shows them.")
        return
    others = [one for one in rank_interfaces(chosen) if not one.loopback]
    if not others:
        if situation.network.interfaces:
            yield fine(NAME, "loopback alone, as --interface says: only sessions on this machine are reached")
            return
        yield failed(
            NAME,
            "no interface but loopback is up and has an address: only sessions on this machine are reached",
            "Plug a cable in or join a wireless network; `ip address` shows the interfaces.",
        )
        return
    listed = "; ".join(_told(one) for one in others[:SHOWN])
    more = f"; and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    if not any(one.carrier for one in others):
        yield failed(
            NAME, f"no cable has anything at its other end: {listed}{more}", "Check cables and switches."
        )
        return
    yield fine(NAME, f"{listed}{more}")


def used_interfaces(situation: Situation) -> tuple[Interface, ...]:
    """Those that a session uses, or would."""
    return choose_interfaces(situation.network.interfaces, list_interfaces())


def _told(interface: Interface) -> str:
    words = [", ".join(found.address for found in interface.addresses)]
    if interface.has_default_route:
        words.append("default route")
    if not interface.carrier:
        words.append("no carrier")
    if not interface.multicast:
        words.append("no multicast")
    return f"{interface.name} ({'; '.join(words)})"
