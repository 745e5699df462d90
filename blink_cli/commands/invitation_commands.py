"""Invitations: what one person gives another so that both can call each other. They work without a session."""

import contextlib
import sys
from typing import Annotated

import msgspec
import typer

from blink_cli.api.documents import InvitationShown, Joined
from blink_cli.commands.chosen_profile import profile_of
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.contact_commands import contacts_of, own_identity, tell_session
from blink_cli.core.errors import NoSessionError, UsageError


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "invite", prints=InvitationShown)(invite)
    command(app, "join", prints=Joined)(join)


async def invite(
    context: CommandContext,
    *,
    qr: Annotated[bool, typer.Option("--qr", help="Also as a QR code.")] = False,
) -> None:
    """Print an invitation: one line for somebody who is to call you.

    It tells your DID and nickname, and the servers that carry your signals with what opens them: give it to whom you trust. Whoever takes it with `blink join` can call you.
    """
    from blink_cli.app.profile.settings import load_settings  # noqa: PLC0415 - cryptography: `--help` needs none
    from blink_cli.app.profile.signal_choice import signal_choice  # noqa: PLC0415 - as above
    from blink_cli.core.api.invitation import Invitation, check_text, write_invitation  # noqa: PLC0415 - as above
    from blink_cli.core.api.session_options import SessionOptions  # noqa: PLC0415 - as above
    from blink_cli.core.identity.certificates import der_of_pem  # noqa: PLC0415 - as above
    from blink_cli.core.ids import Did  # noqa: PLC0415 - as above

    _, did, nickname = await own_identity(context)
    profile = profile_of(context.options)
    chosen = signal_choice(
        profile, load_settings(profile.settings_path).signal, SessionOptions(multicast=True)
    )
    access = chosen.access
    line = write_invitation(
        Invitation(
            Did(did),
            nickname,
            chosen.servers,
            None if access.ca_pem is None else der_of_pem(access.ca_pem),
            access.credentials,
        )
    )
    servers = tuple(server.url for server in chosen.servers)
    if context.output.json:
        document = InvitationShown(
            invitation=line, check=check_text(line), did=did, nickname=nickname, servers=servers
        )
        context.output.document(msgspec.to_builtins(document))
        return
    if not servers:
        context.output.message(
            "this invitation names no server: it will do on one network; `blink broker init` makes one for more"
        )
    context.output.message(f"check {check_text(line)}; `blink join` takes this line:")
    context.output.line(line)
    if qr:
        from blink_cli.commands.qr_code import show_qr  # noqa: PLC0415 - `--help` needs none
        from blink_cli.core.api.invitation import qr_text  # noqa: PLC0415 - as above

        show_qr(context.output, qr_text(line))


async def join(
    context: CommandContext,
    invitation: Annotated[
        str | None,
        typer.Argument(metavar="[LINE]", help="The invitation; left out or -: read from standard input."),
    ] = None,
    *,
    called: Annotated[
        str | None,
        typer.Option("--as", metavar="NICK", help="What you call its sender; default: as it says."),
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Use no server of an invitation any more; contacts stay.")
    ] = False,
) -> None:
    """Take an invitation: its sender becomes a contact, its servers carry signals.

    Sessions that are started from now on use the servers. For example `blink join blink-join:lQHE…`; what `[signal]` in settings.toml says wins over it.
    """
    from blink_cli.app.profile.joined_servers import JoinedServers  # noqa: PLC0415 - cryptography: `--help` needs none
    from blink_cli.core.api.invitation import check_text, read_invitation  # noqa: PLC0415 - as above
    from blink_cli.core.api.signal_server import SignalAccess, SignalServers  # noqa: PLC0415 - as above
    from blink_cli.core.identity.certificates import pem_of_der  # noqa: PLC0415 - as above

    profile = profile_of(context.options)
    profile.make()
    joined = JoinedServers(profile)
    if forget:
        joined.remember(SignalServers())
        if context.output.json:
            context.output.document(
                msgspec.to_builtins(Joined(check=None, did=None, nickname=None, servers=()))
            )
        else:
            context.output.message("sessions that are started from now on use no server of an invitation")
        return
    line = _pasted() if invitation in (None, "-") else str(invitation)
    taken = read_invitation(line)
    name: str | None = None
    if taken.did is not None:
        if not (called or taken.nickname):
            raise UsageError(
                "This invitation tells no nickname.", hint="Say what you call its sender: `--as NICK`."
            )
        name = contacts_of(context).add(called or taken.nickname, taken.did).nickname
    servers = tuple(server.url for server in taken.servers)
    known = joined.chosen()
    before = tuple(server.url for server in known.servers)
    are_new = False
    if servers:
        pem = None if taken.certificate is None else pem_of_der(taken.certificate)
        named = SignalServers(taken.servers, SignalAccess(pem, taken.credentials))
        are_new = named != known
        joined.remember(named)
    check = check_text(line)
    if context.output.json:
        context.output.document(
            msgspec.to_builtins(Joined(check=check, did=taken.did, nickname=name, servers=servers))
        )
    else:
        if name is not None:
            context.output.message(f"{name} ({taken.did}) is in the contacts (check {check})")
        if are_new:
            instead = f", and no more through {', '.join(before)}" if before and before != servers else ""
            context.output.message(
                f"signals go through {', '.join(servers)} too{instead}, from the next session on (check {check})"
            )
        elif servers:
            context.output.message(
                f"signals go through {', '.join(servers)}, as joined before (check {check})"
            )
    await tell_session(context)
    if are_new and not context.output.json and await _runs(context):
        context.output.message("the session that runs does not use them yet: end it and start it again")


def _pasted() -> str:
    """Return what stands on standard input until it is whole: mail programs break long lines. An empty line ends it too."""
    from blink_cli.core.api.invitation import SCHEME, read_invitation  # noqa: PLC0415 - cryptography: `--help` needs none

    text = ""
    for line in sys.stdin:
        text += line
        if not line.strip() or not text.lstrip().lower().startswith(SCHEME):
            break
        with contextlib.suppress(UsageError):
            read_invitation(text)
            break
    return text


async def _runs(context: CommandContext) -> bool:
    try:
        async with context.source.running():
            return True
    except NoSessionError:
        return False
