"""The SFUs through which larger calls go: each is asked for what a call needs of it."""

import asyncio
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from blink_cli.app.profile.sfu_choice import sfu_choice
from blink_cli.core.api.replies.network import SfuUse
from blink_cli.core.api.sfu_server import SfuAccess
from blink_cli.core.errors import BlinkError, NotInstalledError
from blink_cli.doctor.finding import Finding, failed, fine
from blink_cli.doctor.on_thread import on_thread
from blink_cli.doctor.situation import Situation
from blink_cli.runtime.extras import needs_extra

NAME: Final = "sfu"

_ADMIN_KEY: Final = (
    "Name VideoRoom's `admin_key` in `[sfu]` of settings.toml, as its operator gave it: without it a call has a room here only once"
    " somebody else in it, who has the key, has made it."
)

_REMEDIES: Final = {
    "shows a certificate": "Is it the right server, by the name that its certificate has? Name the certificate that signed its own: `--sfu-ca FILE`, or `ca` of `[sfu]`.",
    "refused: Unauthorized request": "Name Janus's `api_secret` or a `token` in `[sfu]` of settings.toml, as its operator gave it.",
    "refused: Missing mandatory element (admin_key": _ADMIN_KEY,
    "refused: Unauthorized (wrong admin_key": _ADMIN_KEY,
    "cannot be reached": "Check its name and port, that Janus runs with its WebSocket transport, and that TCP passes to it. Others that are named take its place.",
    "does not answer": "Restart it: it stands still, or its machine is too busy. Others that are named take its place.",
    "its media": "Let UDP pass to the ports of its media, and name its address from outside in `nat_1_1_mapping` of janus.jcfg where it is behind a NAT.",
}
"""By how the problem begins (app/media/room/sfu_question.py)."""

_ANY: Final = "See its log: it needs the plugin VideoRoom, and must let rooms be made."


_NONE: Final = "none is named: all calls go by direct connections, up to 32 participants, and nothing is contacted; a server helps in calls of more than some 8"
_ANY_OF_OTHERS: Final = "none is named: the running session takes those that others of a call name"


async def look(situation: Situation) -> Iterable[Finding]:
    """Ask all of them at the same time."""
    settings = situation.settings
    if isinstance(settings, BlinkError):
        return ()
    running = _running(situation)
    options = situation.options
    if options.sfu_ca is None and running is not None and not options.sfus:
        options = replace(options, sfu_ca=running.ca)
    try:
        chosen = await on_thread(NAME, lambda: sfu_choice(situation.profile, settings.sfu, options))
        of_session = () if running is None else running.urls
        urls = tuple(dict.fromkeys((*chosen.servers.urls, *of_session)))
        if not urls:
            return (fine(NAME, _ANY_OF_OTHERS if running is not None and running.takes_any else _NONE),)
        return await asyncio.gather(*(_asked(url, chosen.servers.access) for url in urls))
    except (BlinkError, NotInstalledError) as mistake:
        return (failed(NAME, mistake.message.removesuffix("."), mistake.hint or _ANY),)


def _running(situation: Situation) -> SfuUse | None:
    running = situation.running
    network = None if running is None else running.status.network
    return None if network is None else network.sfu


async def _asked(url: str, access: SfuAccess) -> Finding:
    def load() -> None:
        with needs_extra("sfu", "A call through an SFU"):
            from blink_cli.app.media.room import sfu_question  # noqa: F401, PLC0415 - an extra, and aiortc

    await on_thread(NAME, load)
    from blink_cli.app.media.room.sfu_question import ask_sfu  # noqa: PLC0415 - as above

    name = f"{NAME}:{url}"
    answer = await ask_sfu(url, access)
    if answer.problem is not None:
        return failed(name, f"{url} {answer.problem}", remedy_of(answer.problem))
    told_openly = url.startswith("ws:") and (access.api_secret or access.token or access.admin_key)
    openly = "; without TLS, so that who listens in on the way reads its secrets" if told_openly else ""
    return fine(name, f"carries calls; media connected in {1000 * (answer.media_s or 0):.0f} ms{openly}")


def remedy_of(problem: str) -> str:
    """What to do about a problem."""
    return next((remedy for begin, remedy in _REMEDIES.items() if problem.startswith(begin)), _ANY)
