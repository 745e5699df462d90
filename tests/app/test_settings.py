"""The settings file: all defaults without one, and a sentence that names file and field for every mistake."""

from pathlib import Path

import pytest

from blink_cli.app.settings import load_settings
from blink_cli.core.errors import UsageError
from blink_cli.core.session_options import CodecOptions


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "settings.toml")
    codec = settings.codec.with_options(CodecOptions())
    assert (codec.bitrate_bps, codec.frame_ms, codec.fec, codec.redundancy) == (32_000, 20, True, "auto")


def test_the_command_lines_word_wins_over_the_files(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('nickname = "al"\n[codec]\nbitrate = 24000\nframe_ms = 40\n')
    settings = load_settings(path)
    codec = settings.codec.with_options(CodecOptions(bitrate=64_000))
    assert (settings.nickname, codec.bitrate_bps, codec.frame_ms) == ("al", 64_000, 40)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("nickname = 3\n", "nickname"),
        ("colour = 'red'\n", "colour"),
        ("[codec]\nbandwidth = 'huge'\n", "codec.bandwidth"),
        ("[codec]\nbitrate = 1\n", "$.codec"),
        ("[codec]\nframe_ms = 30\n", "frame length of 30 ms"),
        ("[[ice_servers]]\nurl = 'http://x'\n", "not the URL"),
        ("[[ice_servers]]\nurl = 'turn:x'\nusername = 'al'\n", "username needs a credential"),
        ("[[ice_servers]]\nurl = 'turn:x'\n" * 17, "ice_servers"),
        ("ice_transport = 'none'\n", "ice_transport"),
        ("not toml at all", "not TOML"),
        ("x" * 70_000, "too large"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(content)
    with pytest.raises(UsageError) as mistake:
        load_settings(path)
    assert named in mistake.value.message
    assert str(path) in mistake.value.message


def test_an_option_out_of_range_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="bit rate"):
        load_settings(tmp_path / "none.toml").codec.with_options(CodecOptions(bitrate=1))


def test_servers_are_read_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(
        'ice_transport = "relay"\n'
        '[[ice_servers]]\nurl = "stun:stun.example.org"\n'
        '[[ice_servers]]\nurl = "turn:t.example?transport=tcp"\nusername = "al"\ncredential = "pw"\n'
        '[[ice_servers]]\nurl = "turn:t.example"\nsecret = "hush"\n'
    )
    settings = load_settings(path)
    servers = [section.server() for section in settings.ice_servers]
    assert settings.ice_transport == "relay"
    assert [server.url for server in servers] == [
        "stun:stun.example.org:3478",
        "turn:t.example:3478?transport=tcp",
        "turn:t.example:3478",
    ]
    assert (servers[1].username, servers[1].credential, servers[2].secret) == ("al", "pw", "hush")
