"""`test-input`, `test-output` and `device-configs` as scripts see them, on virtual devices."""

import signal
from pathlib import Path

import pytest

from blink_cli.commands.show.level_bar import CELLS, level_bar
from tests.commands.conftest import Here, Shell


def test_a_microphone_that_is_right(shell: Shell, here: Here) -> None:
    done = here(shell, "test-input", "tone:440", "--seconds", "1.2", "--output", "none", "--json")
    assert done.exit_code == 0
    document = done.json
    assert document["schema"] == 1
    assert document["ok"]
    assert document["findings"] == []
    assert document["peak_dbfs"] == pytest.approx(-20.0, abs=0.1)
    assert document["loudness_lufs"] == pytest.approx(-23.0, abs=1.0)
    assert document["playback"] is None
    assert len(document["levels_dbov"]) == 24
    assert abs(document["clock"]["off_ppm"]) < 1


def test_a_recording_is_played_back_where_that_is_asked_for(shell: Shell, here: Here, tmp_path: Path) -> None:
    heard = tmp_path / "heard.wav"
    done = here(shell, "test-input", "tone:440", "--seconds", "0.6", "--output", f"wav:{heard}", "--json")
    assert done.exit_code == 0
    assert done.json["playback"]["device"] == f"wav:{heard}"
    assert done.json["playback"]["underruns_ms"] == 0
    assert heard.stat().st_size > 0.6 * 48_000 * 2


def test_what_is_wrong_ends_with_six_and_says_what_to_do(shell: Shell, here: Here) -> None:
    done = here(shell, "test-input", "silence", "--seconds", "0.6", "--no-playback")
    assert done.exit_code == 6
    assert "exact zeros" in done.stdout
    assert "list-devices" in done.stdout


def test_a_speaker_without_the_channel_is_an_error(shell: Shell, here: Here) -> None:
    done = here(shell, "test-output", "null", "--channel", "2", "--json")
    assert done.exit_code == 3
    assert done.json["error"]["message"] == "null has 1 channel; there is no channel 2."


def test_a_tone_on_every_channel(shell: Shell, here: Here) -> None:
    done = here(shell, "test-output", "null", "--seconds", "0.2")
    assert done.exit_code == 0
    assert "mono …" in done.stderr
    assert "took everything in time" in done.stdout


def test_a_device_that_is_named_and_not_there(shell: Shell, here: Here) -> None:
    for command in ("test-input", "test-output"):
        assert here(shell, command, "no such device", "--json").exit_code in {3, 5}
    assert here(shell, "test-input", "null", "--json").exit_code == 2


def test_a_line_of_a_script_that_fails_ends_with_its_code(shell: Shell) -> None:
    ran = shell.run(
        "--json",
        stdin="test-input silence --seconds 0.5 --no-playback\nwhoami\n",
    )
    assert ran.exit_code == 6
    assert "should not" not in ran.stdout


def test_ctrl_c_ends_a_recording(shell: Shell) -> None:
    with shell.running("test-input", "tone:440", "--seconds", "300", "--no-playback") as process:
        assert process.stderr is not None
        assert "speak" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130


def test_the_bar_grows_with_the_level() -> None:
    filled = [level_bar(level, -3.0).count("#") for level in (-127.0, -60.0, -30.0, 0.0)]
    assert filled == [0, 3, 18, CELLS]
    assert "|" in level_bar(-30.0, -3.0)
