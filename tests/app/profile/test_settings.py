"""The settings file: all defaults without one, and a sentence that names file and field for every mistake."""

from pathlib import Path

import pytest

from blink_cli.app.profile.settings import load_settings
from blink_cli.core.api.session_options import CodecOptions
from blink_cli.core.errors import UsageError
from blink_cli.core.media.processing_settings import EchoCancel, NoiseSuppress, ProcessingSettings

pytestmark = pytest.mark.no_clock


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "settings.toml")
    codec = settings.codec.with_options(CodecOptions())
    assert (codec.bitrate_bps, codec.frame_ms, codec.fec, codec.redundancy) == (32_000, 20, "auto", "auto")


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
        ("[codec]\nbitrate = 1\n", "bit rate"),
        ("[codec]\nframe_ms = 30\n", "frame length of 30 ms"),
        ("[[ice_servers]]\nurl = 'http://x'\n", "not the URL"),
        ("[[ice_servers]]\nurl = 'turn:x'\nusername = 'al'\n", "username needs a credential"),
        ("[[ice_servers]]\nurl = 'turn:x'\n" * 17, "ice_servers"),
        ("ice_transport = 'none'\n", "ice_transport"),
        ("not toml at all", "not TOML"),
        ("x" * 70_000, "longer than"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(content)
    with pytest.raises(UsageError) as mistake:
        load_settings(path)
    assert named in mistake.value.message
    assert str(path) in mistake.value.message


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("nickname = 3", "`nickname` is 3; it may be a text of 1 to 64 characters, in quotes"),
        ("nickname = ''", '`nickname` is ""; it may be a text of 1 to 64 characters, in quotes'),
        ("ice_transport = 'none'", '`ice_transport` is "none"; it may be "all" or "relay"'),
        ("nick = 'al'", "`nick` is no setting; `nickname` is one"),
        (
            "x = 1",
            "`x` is no setting; there is `nickname`, `codec`, `processing`, `ice_servers`, `ice_transport`, `signal` or `sfu`",
        ),
        ("codec = 1", "`codec` is 1; it may be a section, in brackets"),
        ("[codec]\nfec = 1", '`codec.fec` is 1; it may be true or false or "auto", "off" or "on"'),
        ("[codec]\nbitrate = 'much'", '`codec.bitrate` is "much"; it may be a whole number'),
        ("[codec]\nredundancy = 2", '`codec.redundancy` is 2; it may be "0", "1", "2", "3", "4" or "auto"'),
        ("[[ice_servers]]\nusername = 'al'", "`ice_servers[1].url` is missing"),
        (
            "[[ice_servers]]\nurl = 1",
            "`ice_servers[1].url` is 1; it may be a text of 0 to 512 characters, in quotes",
        ),
        (
            "[[ice_servers]]\nurl = 'turn:x'\nusername = 'al'\ncredential = 12345",
            "`ice_servers[1].credential` is wrong; it may be a text in quotes",
        ),
        ("ice_servers = 'stun:x'", '`ice_servers` is "stun:x"; it may be sections, each in double brackets'),
    ],
)
def test_a_mistake_says_what_stands_there_and_what_may(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(content)
    with pytest.raises(UsageError) as mistake:
        load_settings(path)
    assert mistake.value.message == f"{path}: {sentence}."


def test_no_mistake_is_told_in_the_words_of_a_library(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    for content in (
        "[codec]\nbitrate = 1",
        "[[ice_servers]]\nurl = 'http://x'",
        "[[ice_servers]]\nurl = 'turn:x'\nusername = 'al'",
    ):
        path.write_text(content)
        with pytest.raises(UsageError) as mistake:
            load_settings(path)
        assert "$" not in mistake.value.message


def test_an_option_out_of_range_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="bit rate"):
        load_settings(tmp_path / "none.toml").codec.with_options(CodecOptions(bitrate=1))


@pytest.mark.parametrize(
    ("content", "fec"), [("true", "auto"), ("false", "off"), ("'on'", "on"), ("'off'", "off")]
)
def test_fec_is_a_word_or_as_it_was_before(tmp_path: Path, content: str, fec: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f"[codec]\nfec = {content}\nframe_ms = 2.5\n")
    codec = load_settings(path).codec.with_options(CodecOptions())
    assert (codec.fec, codec.frame_ms) == (fec, 2.5)


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


def test_what_is_done_to_the_microphones_sound_is_a_section(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    assert load_settings(path).processing.settings() == ProcessingSettings()
    path.write_text(
        '[processing]\necho_cancel = "off"\nnoise_suppress = "high"\nauto_gain = true\nautomute = true\n'
    )
    assert load_settings(path).processing.settings() == ProcessingSettings(
        EchoCancel.OFF, NoiseSuppress.HIGH, auto_gain=True, automute=True
    )
    path.write_text('[processing]\nnoise_suppress = "loud"\n')
    with pytest.raises(
        UsageError, match=r'`processing\.noise_suppress` is "loud"; it may be "off", "low" or "high"'
    ):
        load_settings(path)
