"""Whatever stands in a file of the profile: it is read, or refused with a sentence that names it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blink_cli.app.profile.contacts import Contacts
from blink_cli.app.profile.settings import load_settings
from blink_cli.core.errors import BlinkError

pytestmark = pytest.mark.no_clock

FRAGMENTS = st.sampled_from(
    [
        *(
            "nickname",
            "codec",
            "ice_servers",
            "ice_transport",
            "contacts",
            "version",
            "bitrate_bps",
            "url",
            "did:key:z6Mk",
        ),
        *(
            "=",
            '"',
            "'''",
            "[",
            "]",
            "[[",
            "]]",
            "{",
            "}",
            ":",
            ",",
            ".",
            "\n",
            "\\",
            "1e999",
            "-1",
            "true",
            "null",
            "inf",
        ),
    ]
)
CONTENTS = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(FRAGMENTS, max_size=40).map(lambda parts: " ".join(parts).encode()),
)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def refusal_of(reading: Callable[[], object], *, otherwise: str) -> str:
    """What the reader says of a file that it refuses; anything but a refusal is a bug and comes through."""
    try:
        reading()
    except BlinkError as refusal:
        return refusal.message
    return otherwise


@QUICK
@given(CONTENTS)
def test_settings(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    assert str(file) in refusal_of(lambda: load_settings(file), otherwise=str(file))


@QUICK
@given(CONTENTS)
def test_contacts(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "contacts.json"
    file.write_bytes(content)
    assert str(file) in refusal_of(lambda: Contacts(file).list(), otherwise=str(file))


@pytest.mark.parametrize("opening", ["[", "{a="])
def test_settings_as_deep_as_a_well(tmp_path: Path, opening: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("nickname = " + opening * 15_000)
    with pytest.raises(BlinkError, match=r"settings\.toml"):
        load_settings(file)


def test_contacts_as_deep_as_a_well(tmp_path: Path) -> None:
    file = tmp_path / "contacts.json"
    file.write_text('{"later":' + "[" * 15_000 + "]" * 15_000 + "}")
    with pytest.raises(BlinkError, match=r"contacts\.json"):
        Contacts(file).list()
