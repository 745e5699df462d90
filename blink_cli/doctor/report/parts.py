"""Gathers what a report says. Whatever cannot be had is left out with a reason, and spoils nothing else."""

import asyncio
import os
import platform
import sys
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, Final

import msgspec

from blink_cli.app.log.log_files import log_paths
from blink_cli.app.profile.settings import Settings
from blink_cli.audio.devices.listing import system_devices
from blink_cli.core.api.replies.status import Trace
from blink_cli.core.api.reply import Reply
from blink_cli.core.api.requests import (
    GetCalls,
    GetIceServers,
    GetPeers,
    GetRecording,
    GetRtpLog,
    GetRtpStatistics,
    GetStatus,
    GetTrace,
    Request,
)
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import BlinkError
from blink_cli.core.text.json_text import encode_json
from blink_cli.core.text.veil import VEILED
from blink_cli.doctor.finding import Finding
from blink_cli.doctor.on_thread import on_thread
from blink_cli.doctor.report.part import LeftOut, Part
from blink_cli.doctor.requirement import parse_requirement
from blink_cli.doctor.situation import Situation
from blink_cli.files.reading import open_reading
from blink_cli.runtime.extras import PROGRAM

ANSWER_S: Final = 3.0
DEVICES_S: Final = 6.0
LOGS: Final = 3
"""Sessions whose logs are taken: the present or last one, and what was before it."""

LOG_TAIL_BYTES: Final = 2_000_000
"""Of each log its end."""

QUESTIONS: Final[tuple[tuple[str, str, Request[Any]], ...]] = (
    ("status.json", "the session at a glance", GetStatus()),
    ("peers.json", "peers that it sees", GetPeers()),
    ("calls.json", "its calls", GetCalls()),
    ("rtp-stats.json", "figures of each participant's audio", GetRtpStatistics(total=True)),
    ("ice-servers.json", "STUN and TURN servers, without credentials", GetIceServers()),
    ("recording.json", "what is recorded at the moment", GetRecording()),
    ("rtp-log.json", "the state of the RTP log", GetRtpLog()),
)

_ENVIRONMENT: Final = (
    "ALSA_CONFIG_PATH", "BLINK_DATA_DIR", "BLINK_LIBOPUS", "BLINK_PROFILE", "COLORTERM", "LANG", "LC_ALL", "LC_CTYPE", "NO_COLOR",
    "PIPEWIRE_RUNTIME_DIR", "PULSE_SERVER", "PULSE_SINK", "PULSE_SOURCE", "TERM", "XDG_RUNTIME_DIR", "XDG_SESSION_TYPE",
)  # fmt: skip
"""What changes how the program works, by name: the rest of an environment may hold anybody's secrets."""


async def gathered(
    situation: Situation, findings: Sequence[Finding], session: SessionPort | None
) -> tuple[list[Part], list[LeftOut]]:
    """Return what can be said, and what cannot.

    Args:
        situation: What was looked at.
        findings: Of the checks.
        session: The one that runs; None: none does.

    """
    parts: list[Part] = [_doctor(findings), _machine(situation), _settings(situation)]
    left_out: list[LeftOut] = []
    async for one in _asked(session):
        if isinstance(one, Part):
            parts.append(one)
        else:
            left_out.append(one)
    for name, work in (("devices.json", _devices), ("logs", lambda: list(_logs(situation.profile.logs_dir)))):
        try:
            async with asyncio.timeout(DEVICES_S):
                parts += await on_thread(name, work)
        except (BlinkError, OSError, TimeoutError) as reason:
            left_out.append(LeftOut(name, _reason(reason)))
    return parts, left_out


def _doctor(findings: Sequence[Finding]) -> Part:
    rows = [
        {"name": one.name, "ok": one.ok, "level": one.level, "found": one.found, "remedy": one.remedy}
        for one in findings
    ]
    return Part("doctor.json", "what `blink doctor` found", _pretty({"schema": 1, "checks": rows}))


def _machine(situation: Situation) -> Part:
    system: dict[str, Any] = {
        "blink": situation.version,
        "python": sys.version,
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "libraries": dict(_versions()),
        "environment": {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        "locale": sys.getfilesystemencoding(),
    }
    if sys.platform == "linux":
        try:
            system["distribution"] = platform.freedesktop_os_release().get("PRETTY_NAME")
        except OSError:
            system["distribution"] = None
    return Part(
        "machine.json", "versions, platform, libraries and what the environment sets", _pretty(system)
    )


def _versions() -> Iterator[tuple[str, str | None]]:
    try:
        lines = requires(PROGRAM) or []
    except PackageNotFoundError:
        lines = []
    for line in lines:
        name = parse_requirement(line).name
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, None


def _settings(situation: Situation) -> Part:
    settings = situation.settings
    if isinstance(settings, BlinkError):
        return Part(
            "settings.json", "what is wrong with the settings", _pretty({"mistake": settings.message})
        )
    return Part(
        "settings.json", "the profile's settings, without credentials", _pretty(without_secrets(settings))
    )


def without_secrets(settings: Settings) -> Any:
    """Return settings with a word in place of each credential and secret."""
    document = msgspec.to_builtins(settings)
    for server in document["ice_servers"]:
        for name in ("credential", "secret"):
            if server[name] is not None:
                server[name] = VEILED
    return document


async def _asked(session: SessionPort | None) -> AsyncIterator[Part | LeftOut]:
    trace = ("trace.json", "what the rules of calls were told and did last; keys in it are stand-ins")
    if session is None:
        for name in [*(name for name, _, _ in QUESTIONS), trace[0]]:
            yield LeftOut(name, "no session of this profile runs")
        return
    for name, holds, request in QUESTIONS:
        yield await _answer(name, holds, _document(session, request))
    yield await _answer(*trace, _trace(session))


async def _answer(name: str, holds: str, answer: Awaitable[Any]) -> Part | LeftOut:
    try:
        async with asyncio.timeout(ANSWER_S):
            return Part(name, holds, _pretty(await answer))
    except (BlinkError, TimeoutError) as reason:
        return LeftOut(name, _reason(reason))


async def _document(session: SessionPort, request: Request[Any]) -> Any:
    reply: Reply = await session.ask(request)
    return msgspec.to_builtins(reply)


async def _trace(session: SessionPort) -> Any:
    page = await session.ask(GetTrace())
    steps, first = list(page.steps), page.first
    while page.more and page.steps:
        page = await session.ask(GetTrace(first=page.first + len(page.steps)))
        steps.extend(page.steps)
    return msgspec.to_builtins(Trace(did=page.did, first=first, more=False, steps=tuple(steps)))


def _devices() -> list[Part]:
    return [
        Part(
            "devices.json", "the audio devices of the system", _pretty(msgspec.to_builtins(system_devices()))
        )
    ]


def _logs(folder: Path) -> Iterator[Part]:
    paths = log_paths(folder)
    stems = list(dict.fromkeys(path.name.removesuffix(".1") for path in paths))[-LOGS:]
    for path in paths:
        if path.name.removesuffix(".1") in stems:
            yield Part(f"logs/{path.name}", "a session's log", _end_of(path))


def _end_of(path: Path) -> str:
    with open_reading(path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LOG_TAIL_BYTES))
        text = file.read(LOG_TAIL_BYTES).decode(errors="replace")
    return text if size <= LOG_TAIL_BYTES else text.partition("\n")[2]


def _pretty(value: Any) -> str:
    return msgspec.json.format(encode_json(value), indent=1).decode() + "\n"


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, BlinkError):
        return error.message
    return str(error)
