"""Makes a bug report: asks, takes out what is nobody's business, writes."""

import asyncio
import getpass
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from blink_cli.api.documents import BugReportWritten, NotReported, ReportedFile
from blink_cli.api.typed_path import absolute
from blink_cli.app.profile.contacts import Contacts
from blink_cli.app.profile.known_secrets import known_secrets
from blink_cli.app.profile.profile import DEFAULT_PROFILE, Profile
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.diagnosis import findings_on, situation_of
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.errors import BlinkError
from blink_cli.core.text.veil import Veil
from blink_cli.doctor.report.archive import require_free, write_archive
from blink_cli.doctor.report.part import Part
from blink_cli.doctor.report.parts import gathered
from blink_cli.doctor.report.stand_ins import StandIns


async def written(context: CommandContext, file: str | None, *, anonymous: bool) -> BugReportWritten:
    """Write a report and say what is in it.

    Raises:
        BlinkError: It cannot be written.

    """
    path = Path(absolute(file if file is not None else _name_of_now()))
    await asyncio.to_thread(require_free, path)
    situation = await situation_of(context, SessionOptions())
    findings = await findings_on(context, situation)
    async with AsyncExitStack() as stack:
        try:
            session = await stack.enter_async_context(context.source.running())
        except BlinkError:  # none runs, or it does not answer: the findings say which
            session = None
        parts, left_out = await gathered(situation, findings, session)
    veil = Veil(known_secrets(situation.profile))
    parts = [_changed(part, veil.over(part.text)) for part in parts]
    if anonymous:
        parts = _anonymous(parts, situation.profile)
    size = await asyncio.to_thread(
        write_archive, path, parts, left_out, version=situation.version, anonymous=anonymous
    )
    return BugReportWritten(
        path=str(path),
        bytes=size,
        anonymous=anonymous,
        files=tuple(ReportedFile(name=part.name, holds=part.holds) for part in parts),
        left_out=tuple(NotReported(name=one.name, reason=one.reason) for one in left_out),
    )


def _name_of_now() -> str:
    return time.strftime("blink-bugreport-%Y%m%dT%H%M%SZ.zip", time.gmtime())


def _anonymous(parts: Sequence[Part], profile: Profile) -> list[Part]:
    stand_ins = StandIns(_names(profile), str(Path.home()))
    for part in parts:
        stand_ins.learn_from(part.text)
    return [_changed(part, stand_ins.over(part.text)) for part in parts]


def _names(profile: Profile) -> Iterator[str]:
    if profile.name != DEFAULT_PROFILE:
        yield profile.name
    with suppress(BlinkError):
        yield from (contact.nickname for contact in Contacts(profile.contacts_path).list())
    with suppress(KeyError, OSError):
        if (login := getpass.getuser()) != "root":
            yield login
    if (host := socket.gethostname()) != "localhost":
        yield host


def _changed(part: Part, text: str) -> Part:
    return Part(part.name, part.holds, text)
