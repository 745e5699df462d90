"""Commands for oneself and for the names one gives to others. They work without a session, and tell one that runs."""

import contextlib
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from blink_cli.api.documents import ContactChanged, ContactList, ContactRow, OwnIdentity
from blink_cli.commands.chosen_profile import profile_of
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.core.api.replies.peers import NamedPeer
from blink_cli.core.api.requests import GetStatus, ReloadContacts
from blink_cli.core.errors import NoSessionError

if TYPE_CHECKING:
    from blink_cli.app.profile.contacts import Contact, Contacts

Nick = Annotated[str, typer.Argument(metavar="NICK", help="What you call the peer.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "whoami", prints=OwnIdentity)(whoami)
    contacts = typer.Typer(
        name="contacts", help="The names that this profile gives to peers.", rich_markup_mode=None
    )
    command(contacts, "add", prints=ContactChanged)(add)
    command(contacts, "list", prints=ContactList)(list_contacts)
    command(contacts, "remove", prints=ContactChanged)(remove)
    app.add_typer(contacts)


async def whoami(context: CommandContext) -> None:
    """Print this profile's DID and nickname."""
    profile, did, nickname = await own_identity(context)
    if context.output.json:
        folder = str(profile_of(context.options).key_path.parent)
        context.output.document(
            msgspec.to_builtins(OwnIdentity(profile=profile, did=did, nickname=nickname, folder=folder))
        )
    else:
        context.output.line(f"{nickname} {did}")


async def add(
    context: CommandContext,
    nickname: Nick,
    did: Annotated[str, typer.Argument(metavar="DID", help="did:key:z6Mk…")],
) -> None:
    """Call a peer by a name. It wins over what the peer calls itself."""
    _show_change(context, contacts_of(context).add(nickname, did), "is in the contacts")
    await tell_session(context)


async def list_contacts(context: CommandContext) -> None:
    """List the contacts."""
    contacts = contacts_of(context).list()
    if context.output.json:
        rows = tuple(ContactRow(contact.nickname, contact.did) for contact in contacts)
        context.output.document(msgspec.to_builtins(ContactList(contacts=rows)))
        return
    if not contacts:
        context.output.message("no contacts; `blink contacts add NICK DID` adds one")
        return
    from blink_cli.commands.show.tables import contacts_table  # noqa: PLC0415 - 20 ms, for people only

    context.output.table(contacts_table([NamedPeer(did=one.did, nickname=one.nickname) for one in contacts]))


async def remove(context: CommandContext, nickname: Nick) -> None:
    """Forget a contact."""
    _show_change(context, contacts_of(context).remove(nickname), "is no contact any more")
    await tell_session(context)


def contacts_of(context: CommandContext) -> "Contacts":
    """Return the contacts of the profile, which is made if it is not there."""
    from blink_cli.app.profile.contacts import Contacts  # noqa: PLC0415 - cryptography: `--help` needs none

    profile = profile_of(context.options)
    profile.make()
    return Contacts(profile.contacts_path)


def _show_change(context: CommandContext, contact: "Contact", sentence: str) -> None:
    if context.output.json:
        context.output.document(
            msgspec.to_builtins(ContactChanged(nickname=contact.nickname, did=contact.did))
        )
    else:
        context.output.message(f"{contact.nickname} ({contact.did}) {sentence}")


async def tell_session(context: CommandContext) -> None:
    """Let a session that runs read the contacts again."""
    with contextlib.suppress(NoSessionError):
        async with context.source.running() as session:
            await session.ask(ReloadContacts())


async def own_identity(context: CommandContext) -> tuple[str, str, str]:
    """Return profile, DID and nickname: of the session that runs, or as the files of the profile say."""
    try:
        status = await context.ask(GetStatus())
    except NoSessionError:
        return _at_rest(context)
    return status.profile, str(status.did), status.nickname


def _at_rest(context: CommandContext) -> tuple[str, str, str]:
    """What the files of a profile without a session say."""
    from blink_cli.app.profile.profile import session_nickname  # noqa: PLC0415 - only when nothing runs
    from blink_cli.app.profile.settings import load_settings  # noqa: PLC0415 - as above
    from blink_cli.commands.unlocking import unlocked_identity  # noqa: PLC0415 - as above

    profile = profile_of(context.options)
    identity = unlocked_identity(profile, context.output.message)
    return (
        profile.name,
        identity.did,
        session_nickname(load_settings(profile.settings_path).nickname, profile),
    )
