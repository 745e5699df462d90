"""Petnames: what this profile calls the peers that it knows. They win over what peers call themselves.

One JSON file: `{"schema": 1, "contacts": {"bob": "did:key:z6Mk..."}}`. Two commands that change it in the very same moment: the
later one wins, and the file is whole either way.
"""

from pathlib import Path
from typing import Final, Literal

import msgspec

from blink_cli.core.errors import BlinkError, NotFoundError, UsageError
from blink_cli.core.identity.did import public_key_of
from blink_cli.core.identity.nickname import MAX_NICKNAME_CHARS, harmless_nickname, harmless_text, look_alike
from blink_cli.core.ids import Did
from blink_cli.core.text.decoding_mistake import mistake_of
from blink_cli.files.reading import read_whole
from blink_cli.files.writing import write_over

MAX_CONTACTS: Final = 10_000

_LIMIT_BYTES: Final = 4_000_000


class Contact(msgspec.Struct, frozen=True):
    """One petname."""

    nickname: str
    did: Did


class _File(msgspec.Struct, forbid_unknown_fields=False):
    schema: Literal[1]
    contacts: dict[str, Did]


class Contacts:
    """The contacts in one file, read anew for every question: other commands may have changed it."""

    def __init__(self, path: Path) -> None:
        """Keep contacts in this file, which need not exist yet."""
        self._path = path

    def list(self) -> tuple[Contact, ...]:
        """All, by nickname.

        Raises:
            BlinkError: The file is damaged or cannot be read.

        """
        return tuple(
            Contact(nickname, did)
            for nickname, did in sorted(self._read().items(), key=lambda item: item[0].casefold())
        )

    def add(self, nickname: str, did: str) -> Contact:
        """Remember a peer under a nickname. Adding the same again changes nothing.

        Raises:
            UsageError: The nickname or DID cannot be one, or either is taken: one nickname stands for one peer.
            BlinkError: The file is damaged or cannot be written.

        """
        name = _checked(nickname)
        public_key_of(did)
        known = self._read()
        for other, other_did in known.items():
            if look_alike(other, name) and other_did != did:
                alike = "" if other.casefold() == name.casefold() else f", which looks like {name},"
                raise UsageError(
                    f"{other}{alike} is the nickname of {other_did} already.",
                    hint=f"Choose another nickname, or `blink contacts remove {other}` first.",
                )
            if other_did == did and other != name:
                raise UsageError(
                    f"{did} is in the contacts already, as {other}.",
                    hint=f"To rename it, `blink contacts remove {other}` first.",
                )
        if len(known) >= MAX_CONTACTS:
            raise UsageError(f"There are {MAX_CONTACTS} contacts already, which is the most.")
        added = Contact(name, Did(did))
        self._write({**known, name: added.did})
        return added

    def remove(self, nickname: str) -> Contact:
        """Forget a peer.

        Raises:
            NotFoundError: Nobody has this nickname.
            BlinkError: The file is damaged or cannot be written.

        """
        known = self._read()
        for name, did in known.items():
            if name.casefold() == nickname.casefold():
                del known[name]
                self._write(known)
                return Contact(name, did)
        raise NotFoundError(
            f"No contact is called {nickname!r}.", hint="`blink contacts list` shows all of them."
        )

    def _read(self) -> dict[str, Did]:
        try:
            content = read_whole(self._path, _LIMIT_BYTES)
        except FileNotFoundError:
            return {}
        except OSError as reason:
            raise BlinkError(f"The contacts in {self._path} cannot be read: {reason.strerror}.") from reason
        try:
            read = msgspec.json.decode(content, type=_File).contacts
            for name, did in read.items():
                # One that an earlier version took is still good, unless it could move a cursor.
                if not harmless_nickname(name) or "\n" in harmless_text(name, instead="\n"):
                    _checked(name)
                public_key_of(did)
        except (msgspec.MsgspecError, UsageError, UnicodeDecodeError, RecursionError) as reason:
            raise BlinkError(
                f"The contacts file {self._path} is damaged: {_what_is_wrong(reason)}.",
                hint="Repair it, or move it away and add the contacts again.",
            ) from reason
        return read

    def _write(self, contacts: dict[str, Did]) -> None:
        content = msgspec.json.format(msgspec.json.encode(_File(1, contacts)), indent=2) + b"\n"
        try:
            write_over(self._path, content)
        except OSError as reason:
            raise BlinkError(
                f"The contacts cannot be written to {self._path}: {reason.strerror}."
            ) from reason


def _what_is_wrong(reason: Exception) -> str:
    return reason.message.rstrip(".") if isinstance(reason, UsageError) else mistake_of(reason).sentence


def _checked(nickname: str) -> str:
    if not nickname or harmless_nickname(nickname) != nickname:
        raise UsageError(
            f"{nickname!r} cannot be a nickname.",
            hint=f"Use up to {MAX_NICKNAME_CHARS} visible characters, without spaces at the ends, that are not a DID.",
        )
    return nickname
