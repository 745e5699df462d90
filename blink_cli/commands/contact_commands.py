"""Commands for oneself and for the names one gives to others. They work without a session, and tell one that runs."""

import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from blink_cli.commands.command import command
from blink_cli.commands.desk import Desk
from blink_cli.core.errors import NoSessionError
from blink_cli.core.replies import SCHEMA, Status
from blink_cli.core.requests import GetStatus, ReloadContacts

if TYPE_CHECKING:
    from blink_cli.app.contacts import Contact, Contacts

Nick = Annotated[str, typer.Argument(metavar="NICK", help="What you call the peer.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "whoami")(whoami)
    contacts = typer.Typer(
        name="contacts", help="The names that this profile gives to peers.", rich_markup_mode=None
    )
    command(contacts, "add")(add)
    command(contacts, "list")(list_contacts)
    command(contacts, "remove")(remove)
    app.add_typer(contacts)


async def whoami(desk: Desk) -> None:
    """Print this profile's DID and nickname."""
    try:
        status = await desk.ask(GetStatus(), Status)
        profile, did, nickname = status.profile, str(status.did), status.nickname
    except NoSessionError:
        profile, did, nickname = _at_rest(desk)
    if desk.output.json:
        from blink_cli.commands.running import profile_of  # noqa: PLC0415 - asyncio: `--help` needs none

        folder = str(profile_of(desk.options).key_path.parent)
        desk.output.document(
            {"schema": SCHEMA, "profile": profile, "did": did, "nickname": nickname, "folder": folder}
        )
    else:
        desk.output.line(f"{nickname} {did}")


async def add(
    desk: Desk, nickname: Nick, did: Annotated[str, typer.Argument(metavar="DID", help="did:key:z6Mk…")]
) -> None:
    """Call a peer by a name. It wins over what the peer calls itself."""
    _show_change(desk, _contacts(desk).add(nickname, did), "is in the contacts")
    await _tell_session(desk)


async def list_contacts(desk: Desk) -> None:
    """List the contacts."""
    contacts = _contacts(desk).list()
    if desk.output.json:
        rows = [{"nickname": contact.nickname, "did": contact.did} for contact in contacts]
        desk.output.document({"schema": SCHEMA, "contacts": rows})
        return
    if not contacts:
        desk.output.message("no contacts; `blink contacts add NICK DID` adds one")
    width = max((len(contact.nickname) for contact in contacts), default=0)
    for contact in contacts:
        desk.output.line(f"{contact.nickname:{width}}  {contact.did}")


async def remove(desk: Desk, nickname: Nick) -> None:
    """Forget a contact."""
    _show_change(desk, _contacts(desk).remove(nickname), "is no contact any more")
    await _tell_session(desk)


def _contacts(desk: Desk) -> "Contacts":
    from blink_cli.app.contacts import Contacts  # noqa: PLC0415 - cryptography: `--help` needs none
    from blink_cli.commands.running import profile_of  # noqa: PLC0415 - as above

    profile = profile_of(desk.options)
    profile.make()
    return Contacts(profile.contacts_path)


def _show_change(desk: Desk, contact: "Contact", sentence: str) -> None:
    if desk.output.json:
        desk.output.document({"schema": SCHEMA, "ok": True, "nickname": contact.nickname, "did": contact.did})
    else:
        desk.output.message(f"{contact.nickname} ({contact.did}) {sentence}")


async def _tell_session(desk: Desk) -> None:
    with contextlib.suppress(NoSessionError):
        async with desk.source.running() as session:
            await session.ask(ReloadContacts())


def _at_rest(desk: Desk) -> tuple[str, str, str]:
    """What the files of a profile without a session say."""
    from blink_cli.app.profile import session_nickname  # noqa: PLC0415 - only when nothing runs
    from blink_cli.app.settings import load_settings  # noqa: PLC0415 - as above
    from blink_cli.commands.running import profile_of  # noqa: PLC0415 - as above
    from blink_cli.commands.unlocking import unlocked_identity  # noqa: PLC0415 - as above

    profile = profile_of(desk.options)
    identity = unlocked_identity(profile)
    return (
        profile.name,
        identity.did,
        session_nickname(load_settings(profile.settings_path).nickname, profile),
    )
