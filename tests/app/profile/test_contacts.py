"""Petnames: kept, told apart, and refused with a sentence where they would fool somebody."""

import json
import stat
import sys
from pathlib import Path

import pytest

from blink_cli.app.profile.contacts import Contact, Contacts
from blink_cli.core.errors import BlinkError, NotFoundError, UsageError
from blink_cli.core.identity.identity import Identity

pytestmark = pytest.mark.no_clock

ANNA, BOB = Identity(b"a" * 32).did, Identity(b"b" * 32).did


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "contacts.json"


@pytest.fixture
def contacts(path: Path) -> Contacts:
    return Contacts(path)


def test_added_listed_and_removed(contacts: Contacts, path: Path) -> None:
    assert contacts.list() == ()
    contacts.add("bob", BOB)
    contacts.add("Anna Müller", ANNA)
    assert contacts.list() == (Contact("Anna Müller", ANNA), Contact("bob", BOB))
    assert Contacts(path).list() == contacts.list()
    assert contacts.remove("BOB") == Contact("bob", BOB)
    assert contacts.list() == (Contact("Anna Müller", ANNA),)


def test_what_another_command_changes_is_seen(contacts: Contacts, path: Path) -> None:
    assert contacts.list() == ()
    Contacts(path).add("bob", BOB)
    assert contacts.list() == (Contact("bob", BOB),)


def test_adding_the_same_again_changes_nothing(contacts: Contacts) -> None:
    contacts.add("bob", BOB)
    assert contacts.add("bob", BOB) == Contact("bob", BOB)
    assert len(contacts.list()) == 1


@pytest.mark.parametrize("nickname", ["bob", "BOB"])
def test_a_nickname_stands_for_one_peer(contacts: Contacts, nickname: str) -> None:
    contacts.add("bob", BOB)
    with pytest.raises(UsageError) as refused:
        contacts.add(nickname, ANNA)
    assert BOB in refused.value.message
    assert "contacts remove bob" in (refused.value.hint or "")


def test_a_peer_has_one_nickname(contacts: Contacts) -> None:
    contacts.add("bob", BOB)
    with pytest.raises(UsageError, match="as bob"):
        contacts.add("robert", BOB)


@pytest.mark.parametrize(
    "nickname", ["", " bob", "bob ", "a\nb", "a\x1b[31m", "x" * 65, "did:key:z6Mk", "a  b"]
)
def test_nicknames_that_could_fool_are_refused(contacts: Contacts, nickname: str) -> None:
    with pytest.raises(UsageError, match="cannot be a nickname"):
        contacts.add(nickname, BOB)


@pytest.mark.parametrize("did", ["", "bob", BOB[:-1], BOB + "x"])
def test_what_is_no_did_is_refused(contacts: Contacts, did: str) -> None:
    with pytest.raises(UsageError):
        contacts.add("bob", did)
    assert contacts.list() == ()


def test_removing_who_is_not_there(contacts: Contacts) -> None:
    with pytest.raises(NotFoundError, match="carl"):
        contacts.remove("carl")


def test_a_name_that_looks_like_another_contacts_is_refused(contacts: Contacts) -> None:
    contacts.add("anna", ANNA)
    with pytest.raises(UsageError, match="looks like"):
        contacts.add("\u0430nna", BOB)
    assert contacts.add("anna", ANNA).nickname == "anna"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"schema": 2, "contacts": {}}',
        '{"schema": 1, "contacts": {"bob": 1}}',
        '{"schema": 1, "contacts": {"bob": "did:key:z6Mk"}}',
        json.dumps({"schema": 1, "contacts": {"b\nb": BOB}}),
    ],
)
def test_a_damaged_file_is_named_and_left_alone(contacts: Contacts, path: Path, content: str) -> None:
    path.write_text(content)
    for question in (contacts.list, lambda: contacts.add("anna", ANNA), lambda: contacts.remove("bob")):
        with pytest.raises(BlinkError, match="damaged") as refused:
            question()
        assert str(path) in refused.value.message
    assert path.read_text() == content


def test_bytes_that_are_no_text_are_named_too(contacts: Contacts, path: Path) -> None:
    path.write_bytes(b'{"schema": 1, "contacts": {"\xff": 1}}')
    with pytest.raises(BlinkError, match="damaged"):
        contacts.list()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_whom_one_knows_is_nobody_elses_business(contacts: Contacts, path: Path) -> None:
    contacts.add("bob", BOB)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["contacts.json"]


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BlinkError, match="cannot be"):
        Contacts(tmp_path / "file" / "contacts.json").add("bob", BOB)
