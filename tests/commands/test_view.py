"""`view`: pictures on a terminal, from a shell and at the prompt, and in a file."""

import re
import shlex
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from blink_cli.video.coded_clock import read_clock
from blink_cli.video.frames import Fitter
from tests.commands.conftest import BLINK, Shell, environment
from tests.support.pty_terminal import PtyTerminal
from tests.support.terminals import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")

REPL = [*BLINK, "repl", "--input", "silence", "--output", "null"]
BLOCK = "▀".encode()
SHOWING = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "BLINK_TEST_CAMERA": "testsrc"}


@pytest.fixture
def prompt(shell: Shell) -> Iterator[PtyTerminal]:
    with PtyTerminal(REPL, environment(shell.data_dir, **SHOWING)) as terminal:
        terminal.until(b"blink>")
        terminal.press("offer bob\r")
        terminal.until(b"2 of 2")
        yield terminal


@pytest.mark.real_time
@pytest.mark.alone
def test_one_types_while_pictures_run_above_the_prompt(prompt: PtyTerminal) -> None:
    """A prompt of 80 x 24: ten pictures a second and more, and what is typed is seen within 50 ms."""
    alone_s = echo_s(prompt, "abcdefgh")
    prompt.press("view bob\r")
    prompt.until(BLOCK)
    prompt.read(1.0)
    asked, begun_s = prompt.asked, time.monotonic()
    prompt.read(3.0)
    fps = (prompt.asked - asked) / (time.monotonic() - begun_s)
    beside_s = echo_s(prompt, "abcdefghijklmnop")
    assert fps >= 10
    # A machine that needs longer for a letter alone tells nothing of pictures.
    assert beside_s < max(0.05, 2.5 * alone_s), (alone_s, fps)
    prompt.press("view off\r")
    prompt.read(1.0)
    since = len(prompt.shown)
    prompt.read(1.0)
    assert BLOCK not in prompt.shown[since:]


def echo_s(prompt: PtyTerminal, letters: str) -> float:
    """The median time until a letter that is typed is shown; the line is empty again afterwards."""
    took_s = []
    for letter in letters:
        since, pressed_s = len(prompt.shown), time.monotonic()
        prompt.press(letter)
        # Letters of escapes have digits before them.
        took_s.append(prompt.until(re.compile(rb"(?<![\d;?\[])" + letter.encode()), since=since) - pressed_s)
        prompt.read(0.07)
    prompt.press("\x15")
    prompt.read(0.2)
    return float(np.median(took_s))


def test_a_slow_terminal_gets_fewer_bytes_and_never_old_pictures(prompt: PtyTerminal) -> None:
    prompt.press("view bob\r")
    prompt.until(BLOCK)
    prompt.rate_bytes_s = 20_000
    prompt.read(2.0)
    prompt.rate_bytes_s = None
    # What waited anywhere comes at once now: no more than a frame and some lines of the panel.
    since = len(prompt.shown)
    prompt.read(0.03)
    assert len(prompt.shown) - since < 30_000


def rows_of_pictures(text: str) -> int:
    return sum("▀" in one for one in text.split("\n"))


def test_the_screen_at_the_prompt_stays_whole(shell: Shell) -> None:
    """In tmux, whose screen can be read: events, answers, other sizes, and the end."""
    with Terminal(REPL, columns=80, rows=24, environment=environment(shell.data_dir, **SHOWING)) as terminal:
        terminal.until("blink>")
        terminal.run_line("offer bob")
        terminal.until("2 of 2 present")
        terminal.run_line("view me bob")
        shown = terminal.until(lambda text: rows_of_pictures(text) >= 6 and "alice   " in text)
        assert shown[-1] == "blink>"
        name = next(row for row, one in enumerate(shown) if re.fullmatch(r" +alice +bob", one))
        assert "▀" in "".join(shown[:name])
        assert "in call" in shown[name + 1]
        terminal.enter("hello")
        terminal.until(lambda text: text.endswith("blink> hello"))
        terminal.press("C-u")
        terminal.resize(60, 30)
        # Above, tmux has wrapped what was on the wider screen.
        narrow = terminal.until(
            lambda text: (
                all(len(row) < 60 for row in text.split("\n")[-20:])
                and rows_of_pictures("\n".join(text.split("\n")[-20:])) >= 6
            )
        )
        assert narrow[-1] == "blink>"
        terminal.resize(80, 24)
        terminal.until(lambda text: "▀" in text and text.endswith("blink>"))
        terminal.run_line("view off")
        terminal.until(lambda text: "▀" not in text.split("view off")[-1] and text.endswith("blink>"))
        terminal.run_line("view nobody")
        terminal.until("No peer is called 'nobody'.")


def test_view_has_the_whole_terminal_until_q(shell: Shell) -> None:
    with shell.running("serve", **SHOWING):
        shell.run("status", "--wait", "20")
        with PtyTerminal([*BLINK, "view", "bob"], environment(shell.data_dir, **SHOWING)) as terminal:
            terminal.until(BLOCK)
            terminal.until(b"half blocks, true colour")
            terminal.press("q")
            terminal.until(b"\x1b[?1049l")


@pytest.mark.parametrize("key", ["q", "\x03"])
def test_no_answer_of_the_terminal_is_left_to_the_shell(shell: Shell, key: str) -> None:
    then = "stty -icanon -echo min 0 time 10; cat -v; echo THE END"
    command = ["sh", "-c", f"trap : INT; {shlex.join([*BLINK, 'view', 'bob'])}; {then}"]
    with shell.running("serve", **SHOWING):
        shell.run("status", "--wait", "20")
        with PtyTerminal(command, environment(shell.data_dir, **SHOWING)) as terminal:
            terminal.until(BLOCK)
            terminal.holds_answers = True
            asked = terminal.asked
            while terminal.asked == asked:
                terminal.take(1.0)
            terminal.press(key)
            terminal.until(b"\x1b[?1049l")
            terminal.answer()
            terminal.until(b"THE END")
            assert b"5;1R" not in terminal.shown


@pytest.mark.parametrize(
    ("attributes", "kitty", "wanted"),
    [(b"\x1b[?62;4c", False, b"\x1bP0;1q"), (b"\x1b[?62c", True, b"\x1b_Ga=T,f=24")],
)
def test_a_terminal_that_shows_images_gets_them(
    shell: Shell, attributes: bytes, wanted: bytes, *, kitty: bool
) -> None:
    with shell.running("serve", **SHOWING):
        shell.run("status", "--wait", "20")
        command = [*BLINK, "view", "me"]
        with PtyTerminal(
            command, environment(shell.data_dir, **SHOWING), attributes=attributes, kitty=kitty
        ) as terminal:
            terminal.until(wanted)
            assert BLOCK not in terminal.shown
            terminal.press("q")
            terminal.until(b"\x1b[?1049l")


def test_a_snapshot_is_a_picture_as_it_came(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "bob.png"
    with shell.running("serve", BLINK_TEST_CAMERA="testsrc?size=320x180"):
        shell.run("status", "--wait", "20")
        done = shell.run("view", "bob", "--snapshot", str(path), "--json")
        assert done.exit_code == 0, done.stderr
        assert {key: done.json[key] for key in ("nickname", "path", "width", "height")} == {
            "nickname": "bob",
            "path": str(path),
            "width": 320,
            "height": 180,
        }
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
        assert (frame.width, frame.height) == (320, 180)
        shown_s = read_clock(Fitter(None).fit(frame, 0, None))
        assert shown_s is not None
        assert abs(time.monotonic() - shown_s) < 30
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

        again = shell.run("view", "bob", "--snapshot", str(path))
        assert again.exit_code == 1
        assert "exists" in again.stderr
        assert "--replace" in again.stderr
        path.write_bytes(b"old")
        assert shell.run("view", "bob", "--snapshot", str(path), "--replace").exit_code == 0
        assert path.read_bytes().startswith(b"\x89PNG")
        assert [one.name for one in tmp_path.iterdir() if one.suffix == ".png"] == ["bob.png"]

        assert shell.run("view", "nobody", "--snapshot", str(path), "--replace").exit_code == 3
        assert shell.run("view", "bob").exit_code == 2, "no terminal"


def test_list_cameras_needs_no_session(shell: Shell) -> None:
    heading, *rows = shell.run("list-cameras").stdout.splitlines()
    assert heading.split() == ["camera", "description"]
    (test_picture,) = [row for row in rows if row.startswith("testsrc")]
    assert test_picture.index("a test picture") == heading.index("description")
    listed = shell.run("list-cameras", "--json").json["cameras"]
    assert {"testsrc", "blank", "file:PATH", "image:PATH"} <= {
        one["name"] for one in listed if one["virtual"]
    }


def test_watch_has_tiles_of_who_shows_something(shell: Shell) -> None:
    with shell.running("serve", **SHOWING):
        shell.run("status", "--wait", "20")
        shell.run("offer", "bob")
        command = [*BLINK, "watch"]
        with Terminal(
            command, columns=100, rows=40, environment=environment(shell.data_dir, **SHOWING)
        ) as terminal:
            terminal.until(lambda text: rows_of_pictures(text) >= 10 and "q quits" in text)
            terminal.press("v")
            shown = terminal.until(lambda text: "▀" not in text)
            assert any("2 of 2 present" in one for one in shown)
            terminal.press("v")
            terminal.until(lambda text: rows_of_pictures(text) >= 10)
            terminal.press("?")
            terminal.until(lambda text: "▀" not in text and "any key goes back" in text)
            terminal.press("x")
            terminal.until(lambda text: rows_of_pictures(text) >= 10 and "2 of 2 present" in text)
            terminal.resize(60, 24)
            terminal.until(lambda text: rows_of_pictures(text) >= 5 and max(map(len, text.split("\n"))) < 60)
