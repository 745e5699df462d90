"""The servers that carry signals past the network: each is asked for what a session needs of it."""

import asyncio
from collections.abc import Iterable
from typing import Final

from blink_cli.app.profile.signal_choice import signal_choice
from blink_cli.core.api.replies.network import SignalServerState
from blink_cli.core.api.signal_server import SignalAccess, SignalServer
from blink_cli.core.errors import BlinkError, NotInstalledError, UsageError
from blink_cli.doctor.finding import Finding, failed, fine
from blink_cli.doctor.on_thread import on_thread
from blink_cli.doctor.situation import Situation
from blink_cli.runtime.extras import needs_extra

NAME: Final = "signal-server"

_REMEDIES: Final = {
    "shows a certificate": "Is it the right server, by the name that its certificate has? Name the certificate that signed its own: `--signal-ca FILE`, `ca` of `[signal]`; or join anew by the line that `blink broker show DIR` prints.",
    "refuses this session's credentials": "Join anew by the line that `blink broker show DIR` prints, or name the right file: `--signal-credentials FILE`, `credentials` of `[signal]`.",
    "offers no TLS": "Give the server a certificate, or write `nats://` in place of `tls://` where nobody can listen in.",
    "does not permit it": "Whoever runs it permits this user to publish and subscribe `blink.>`.",
    "is not found": "Check its name; does this machine reach a DNS server?",
    "is no NATS server": "Check its port: something else listens there.",
    "takes messages of": "Whoever runs it sets `max_payload` to 2048 or more.",
    "cannot be used: maximum connections": "It is full: whoever runs it raises `max_connections`. Others that are named take its place.",
    "cannot be used: maximum subscriptions": "Whoever runs it raises `max_subscriptions`; 4096 will do.",
    "refuses connections": "Check its port; is it running? `blink broker run DIR` starts one.",
}
"""By how the problem begins (net/signaling/nats_connection.py)."""

_ANY: Final = (
    "Check its name and port, that it runs, and that TCP passes to it. Others that are named take its place."
)


async def look(situation: Situation) -> Iterable[Finding]:
    """Ask all of them at the same time."""
    settings = situation.settings
    if isinstance(settings, BlinkError):
        return ()
    try:
        chosen = await on_thread(
            NAME, lambda: signal_choice(situation.profile, settings.signal, situation.options)
        )
        urls = {server.url for server in chosen.servers}
        others = [_told(one) for one in _running(situation) if one.url not in urls]
        if not chosen.servers and not others:
            return (fine(NAME, "none is named: on one network signals need none, and nothing is contacted"),)
        asked = await asyncio.gather(*(_asked(server, chosen.access) for server in chosen.servers))
    except (UsageError, NotInstalledError) as mistake:
        return (failed(NAME, str(mistake).removesuffix("."), mistake.hint or _ANY),)
    return (*asked, *others)


def _running(situation: Situation) -> tuple[SignalServerState, ...]:
    running = situation.running
    network = None if running is None else running.status.network
    return () if network is None else network.signal_servers


def _told(state: SignalServerState) -> Finding:
    """Of one that only the running session has the credentials of."""
    name = f"{NAME}:{state.url}"
    if state.reason is not None:
        return failed(name, f"{state.url} {state.reason}", remedy_of(state.reason))
    return fine(
        name,
        "the running session uses it"
        if state.state == "connected"
        else "the running session has it in reserve",
    )


async def _asked(server: SignalServer, access: SignalAccess) -> Finding:
    with needs_extra("nats", "Signals through a server"):
        from blink_cli.net.signaling.signal_server_question import (  # noqa: PLC0415 - an extra
            ask_signal_server,
        )
    name = f"{NAME}:{server.url}"
    answer = await ask_signal_server(server, access)
    if answer.problem is not None:
        return failed(name, f"{server.url} {answer.problem}", remedy_of(answer.problem))
    protected = "" if server.scheme == "tls" else ", without TLS of its own demanded"
    return fine(name, f"takes our signals; there and back in {1000 * (answer.rtt_s or 0):.1f} ms{protected}")


def remedy_of(problem: str) -> str:
    """What to do about the problem of a connection."""
    return next((remedy for begin, remedy in _REMEDIES.items() if problem.startswith(begin)), _ANY)
