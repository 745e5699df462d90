"""The key file: private, whole, locked if one wishes; and a sentence for everything that can be wrong with it."""

import os
import secrets
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blink_cli.app.profile.key_file import (
    create_key_file,
    load_identity,
    load_or_create_identity,
    needs_passphrase,
)
from blink_cli.core.errors import IdentityError
from blink_cli.core.identity.identity import Identity

pytestmark = pytest.mark.no_clock

SEED = b"s" * 32
posix = pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "identity.pem"


def test_a_new_profile_gets_a_key_and_keeps_it(path: Path) -> None:
    first = load_or_create_identity(path, None, secrets.token_bytes)
    again = load_or_create_identity(path, None, secrets.token_bytes)
    assert first.did == again.did
    assert not needs_passphrase(path)
    assert b"BEGIN PRIVATE KEY" in path.read_bytes()


@posix
def test_it_is_readable_by_its_owner_only_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        create_key_file(path, SEED, None, secrets.token_bytes)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["identity.pem"]


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644, 0o601])
def test_a_key_that_others_can_read_or_change_is_refused(path: Path, mode: int) -> None:
    create_key_file(path, SEED, None, secrets.token_bytes)
    path.chmod(mode)
    with pytest.raises(IdentityError, match="can be read or changed by others") as refused:
        load_identity(path, None)
    assert "chmod 600" in (refused.value.hint or "")


@posix
@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give files away")
def test_a_key_of_another_user_is_refused(path: Path) -> None:
    create_key_file(path, SEED, None, secrets.token_bytes)
    os.chown(path, 12_345, -1)
    with pytest.raises(IdentityError, match="belongs to another user"):
        load_identity(path, None)


def test_a_passphrase_locks_it(path: Path) -> None:
    made = load_or_create_identity(path, "open sesame", secrets.token_bytes)
    assert needs_passphrase(path)
    assert SEED not in path.read_bytes()
    assert load_identity(path, "open sesame").did == made.did
    with pytest.raises(IdentityError, match="does not open"):
        load_identity(path, "Open sesame")
    for missing in (None, ""):
        with pytest.raises(IdentityError, match="locked with a passphrase") as refused:
            load_identity(path, missing)
        assert "BLINK_PASSPHRASE" in (refused.value.hint or "")


def test_the_same_passphrase_twice_gives_different_files(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        create_key_file(path, SEED, "open sesame", secrets.token_bytes)
    assert one.read_bytes() != other.read_bytes()


def test_a_passphrase_for_an_open_file_does_no_harm(path: Path) -> None:
    create_key_file(path, SEED, None, secrets.token_bytes)
    assert load_identity(path, "unneeded").did == Identity(SEED).did


def test_an_existing_key_is_never_overwritten_by_accident(path: Path) -> None:
    create_key_file(path, SEED, None, secrets.token_bytes)
    with pytest.raises(FileExistsError):
        create_key_file(path, b"t" * 32, None, secrets.token_bytes)
    assert load_identity(path, None).did == Identity(SEED).did
    assert [entry.name for entry in path.parent.iterdir()] == ["identity.pem"]
    create_key_file(path, b"t" * 32, None, secrets.token_bytes, replace=True)
    assert load_identity(path, None).did == Identity(b"t" * 32).did


def test_of_two_processes_that_make_a_key_at_once_both_get_the_same(path: Path) -> None:
    line = (
        "import secrets, sys; from pathlib import Path; "
        "from blink_cli.app.profile.key_file import load_or_create_identity as load; "
        "sys.stdin.read(); print(load(Path(sys.argv[1]), None, secrets.token_bytes).did)"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", line, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    names = {process.communicate()[0] for process in processes}
    assert len(names) == 1
    assert names.pop().startswith("did:key:z6Mk")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        # An Ed448 key that is as long as one of Ed25519: one changed byte.
        b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VxBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        b"Scrypt-Salt: " + b"0" * 32 + b"\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n",
    ],
)
def test_a_damaged_file_is_a_clear_error(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(IdentityError, match="damaged") as refused:
        load_identity(path, "passphrase")
    assert refused.value.hint


def test_a_key_of_another_kind_is_named_as_that(path: Path) -> None:
    key = X25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    with pytest.raises(IdentityError, match="not an Ed25519 key"):
        load_identity(path, None)


def test_a_missing_file_a_folder_a_pipe_and_a_huge_file_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="cannot be read"):
        load_identity(tmp_path / "missing", None)
    with pytest.raises(IdentityError, match="cannot be read"):
        load_identity(tmp_path, None)
    huge = tmp_path / "huge"
    huge.write_bytes(bytes(20_000))
    huge.chmod(0o600)
    with pytest.raises(IdentityError, match="longer than"):
        load_identity(huge, None)
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe", 0o600)
        with pytest.raises(IdentityError, match="not an ordinary file"):
            load_identity(tmp_path / "pipe", None)


def test_a_folder_that_is_missing_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="cannot be written"):
        load_or_create_identity(tmp_path / "no" / "where", None, secrets.token_bytes)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_changed_byte_is_an_identity_error_or_does_not_matter(path: Path, data: st.DataObject) -> None:
    create_key_file(path, SEED, None, secrets.token_bytes, replace=True)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    with suppress(IdentityError):
        load_identity(path, None)
