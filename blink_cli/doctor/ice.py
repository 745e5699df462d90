"""The configured STUN and TURN servers: each is asked for what a call needs of it, TURN for a relay."""

import asyncio
import time
from collections.abc import Iterable
from typing import Final

from blink_cli.core.api.ice_server import ConfiguredServer
from blink_cli.core.api.replies.network import IceServerState
from blink_cli.core.endpoint import endpoint_text
from blink_cli.doctor.finding import Finding, failed, fine
from blink_cli.doctor.situation import Situation
from blink_cli.net.ice.ice_probe import probe
from blink_cli.net.ice.probe_verdict import ProbeFailure

NAME: Final = "ice-server"


async def look(situation: Situation) -> Iterable[Finding]:
    """Ask all of them at the same time. Those of which only the running session has the credentials, it has asked itself."""
    servers = situation.ice_servers
    ours = {server.url for server in servers}
    running = situation.running
    told = None if running is None else running.ice_servers
    others = [] if told is None else [one for one in told.servers if one.url not in ours]
    if not servers and not others:
        if situation.relay_only:
            return (_no_relay(),)
        return (
            fine(
                NAME,
                "none is configured: calls need none where the participants reach each other, as on one network",
            ),
        )
    asked = await asyncio.gather(*(_asked(server) for server in servers))
    findings = (*asked, *(_told(one) for one in others))
    relays = [one for one in findings if one.name.startswith(f"{NAME}:turn") and one.ok]
    if situation.relay_only and not relays:
        findings = (*findings, _no_relay())
    return findings


def _no_relay() -> Finding:
    return failed(
        f"{NAME}:relay",
        "audio goes through TURN servers only (ice_transport), and none of them works",
        'Name one that works, or let audio take every way: `ice_transport = "all"` in settings.toml, `--ice-transport all`.',
    )


async def _asked(server: ConfiguredServer) -> Finding:
    name = f"{NAME}:{server.url}"
    try:
        answer = await probe(server, now_wall_s=time.time())
    except ProbeFailure as failure:
        return failed(name, f"{server.url}: {failure}", _remedy(server.kind, refused=failure.refused))
    gave = "our address from outside is" if server.kind == "stun" else "it relays by"
    return fine(name, f"answers in {1000 * answer.rtt_s:.0f} ms; {gave} {endpoint_text(answer.address)}")


def _told(state: IceServerState) -> Finding:
    name = f"{NAME}:{state.url}"
    if state.alive:
        return fine(name, "the running session uses it, and it answers")
    return failed(
        name,
        f"{state.url}: {state.last_error or 'it does not answer the running session'}",
        _remedy(state.kind, refused=False),
    )


def _remedy(kind: str, *, refused: bool) -> str:
    if refused:
        return "Correct username and credential (or secret) in settings.toml, or in --ice-server."
    what = (
        "its relay is used by nobody meanwhile"
        if kind == "turn"
        else "addresses from outside are not found by it"
    )
    return (
        f"Check its name and port, that it runs, and that UDP (or the transport of its URL) passes to it; {what}."
        " Others that are configured take its place."
    )
