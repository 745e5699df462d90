"""The UDP port of the signals: sessions share it with each other, and with no other program."""

import contextlib
import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from blink_cli.core.endpoint import Group, parse_group
from blink_cli.doctor.finding import Finding, failed, fine
from blink_cli.doctor.situation import Situation
from blink_cli.net.host.zones import Zones
from blink_cli.net.signaling.udp_sockets import FamilySockets, Ipv4Sockets, Ipv6Sockets

NAME: Final = "udp-port"
TRIED_PORTS: Final = 20
"""So many of the following ports are tried where this one is taken."""

LAST_PORT: Final = 65_535


def look(situation: Situation) -> Iterator[Finding]:
    """Bind it as a session does."""
    group = parse_group(situation.network.group)
    reason = _refusal(group, group.port)
    if reason is None:
        yield fine(NAME, f"UDP port {group.port} can be shared")
        return
    host = situation.network.group.rpartition(":")[0]
    later = range(group.port + 1, min(group.port + TRIED_PORTS, LAST_PORT) + 1)
    free = next((port for port in later if _refusal(group, port) is None), None)
    other = f"another group in all sessions: `--group {host}:{'PORT' if free is None else free}`"
    if reason.errno == errno.EADDRINUSE:
        yield failed(
            NAME,
            f"UDP port {group.port} is held by {holder_of(group.port) or 'another program'}, which does not share it",
            f"End that program (`ss -ulpn 'sport = {group.port}'` names it), or use {other}.",
        )
        return
    yield failed(NAME, f"UDP port {group.port} cannot be bound: {reason.strerror or reason}", f"Use {other}.")


def _refusal(group: Group, port: int) -> OSError | None:
    """Why a session could not be bound to this port; None: it could."""
    families: list[FamilySockets] = [Ipv6Sockets(group.ipv6, port, Zones())]
    if group.ipv4 is not None:
        families.insert(0, Ipv4Sockets(group.ipv4, port))
    for family in families:
        try:
            family.shared(family.anywhere).close()
        except OSError as reason:
            if reason.errno != errno.EAFNOSUPPORT:
                return reason
    return None


def holder_of(port: int) -> str | None:
    """Return the program that is bound to a UDP port and its process; None where that cannot be known. Linux; others' need root."""
    if sys.platform != "linux":
        return None
    inodes = set()
    for table in ("udp", "udp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            if any(str(one.readlink()) in inodes for one in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return None
