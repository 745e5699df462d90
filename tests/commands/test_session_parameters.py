"""A device named in one folder is understood by a session in another, with all its options."""

from pathlib import Path

import pytest

from blink_cli.api.option_words import checked_auto_accept, input_device, output_device
from blink_cli.commands.session_parameters import with_auto_accept_value
from blink_cli.core.errors import UsageError

pytestmark = pytest.mark.no_clock


def test_names_keep_their_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = "?loop=1&ppm=5&channel=3"
    assert input_device(f"file:six.wav{options}") == f"file:{tmp_path}/six.wav{options}"
    assert input_device("Mixer?channel=18") == "Mixer?channel=18"
    assert input_device("default?channel=2") == "default?channel=2"
    assert output_device("wav:out.wav?ppm=5") == f"wav:{tmp_path}/out.wav?ppm=5"


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("serve --auto-accept", "serve --auto-accept=no-microphone"),
        ("serve --auto-accept --input silence", "serve --auto-accept=no-microphone --input silence"),
        ("serve --auto-accept contacts", "serve --auto-accept contacts"),
        ("serve --auto-accept=contacts", "serve --auto-accept=contacts"),
        ("offer --auto-accept bob", "offer --auto-accept=no-microphone bob"),
        ("rtp-analyze -- --auto-accept", "rtp-analyze -- --auto-accept"),
    ],
)
def test_auto_accept_alone_opens_no_microphone_to_strangers(line: str, read: str) -> None:
    assert with_auto_accept_value(line.split()) == read.split()


def test_auto_accept_of_anybody_else_is_a_mistake() -> None:
    named = ["contacts", "no-microphone", "anyone"]
    assert [checked_auto_accept(who) for who in named] == named
    with pytest.raises(UsageError, match="none of contacts, no-microphone, anyone"):
        checked_auto_accept("everyone")
