"""The prompt, driven through a pipe in place of the keyboard, and in a real terminal of its own."""

import asyncio
import contextlib
import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.plain_text import PlainTextOutput

from blink_cli.commands.completion import LineCompleter, split_words
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.commands.live_view import LiveView
from blink_cli.commands.program import entry_point
from blink_cli.commands.repl import Repl
from blink_cli.core.api.events import (
    ParticipantStateChanged,
    PeerAppeared,
    PeerVanished,
    RecordingStarted,
    TalkingStarted,
    TalkingWhileMuted,
)
from blink_cli.core.api.requests import (
    GetPeers,
    GetRtpStatistics,
    LeaveCall,
    PlaceOffer,
    Quit,
    SetGain,
    SetMuted,
)
from blink_cli.core.ids import CallId
from tests.commands.conftest import BLINK, Shell, environment
from tests.support.scripted_session import ALICE, BOB, ScriptedSession

pytestmark = pytest.mark.real_time


class Prompted:
    """A prompt that runs, what feeds it, and what it shows."""

    def __init__(self, repl: Repl, session: ScriptedSession, keys: PipeInput, screen: io.StringIO) -> None:
        self.repl = repl
        self.session = session
        self.keys = keys
        self._screen = screen

    @property
    def shown(self) -> str:
        """Everything that was written so far, without escape sequences."""
        return self._screen.getvalue()


@contextlib.asynccontextmanager
async def prompt(history: Path | None = None) -> AsyncIterator[Prompted]:
    """Run a prompt until its keys or its session end it."""
    session = ScriptedSession()
    screen = io.StringIO()
    output = PlainTextOutput(screen)
    # A terminal of its own for each test: prompt_toolkit keeps one for the whole process otherwise.
    with create_pipe_input() as keys, create_app_session(input=keys, output=output):
        repl = Repl(
            GlobalOptions(color=False),
            session,
            history,
            entry_point,
            terminal_input=keys,
            terminal_output=output,
        )
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(repl.run(session.ended))
            yield Prompted(repl, session, keys, screen)
            await running
    await session.aclose()


async def test_lines_are_the_commands_of_the_shell_until_ctrl_d() -> None:
    async with prompt() as at:
        at.keys.send_text(
            "mute\noffer bob\ngain bob -6\nblink leave\nstauts\n# nothing\n\nset-input null\nwhoami --json\n\x04"
        )
    kinds = SetMuted | PlaceOffer | SetGain | LeaveCall | Quit
    assert [request for request in at.session.asked if isinstance(request, kinds)] == [
        SetMuted(muted=True),
        PlaceOffer(peers=("bob",)),
        SetGain(peer="bob", gain_db=-6),
        LeaveCall(),
        Quit(),
    ]
    assert re.search(r"No such command 'stauts'\. Did you mean [^?]*'status'", at.shown)
    assert "cannot be the microphone" in at.shown
    assert f'"did":"{ALICE}"' in at.shown
    assert "Traceback" not in at.shown


async def test_ctrl_c_clears_the_line() -> None:
    async with prompt() as at:
        at.keys.send_text("deafen\x03mute\n\x04")
    assert SetMuted(muted=True) in at.session.asked
    assert at.session.state.deafened is False
    assert "Traceback" not in at.shown


async def test_quit_ends_the_prompt() -> None:
    async with prompt() as at:
        at.keys.send_text("quit\n")
    assert at.session.ended.is_set()


async def test_the_end_of_the_session_ends_the_prompt() -> None:
    async with prompt() as at:
        at.session.ended.set()


async def test_a_line_cannot_start_a_second_session_or_use_another_profile() -> None:
    async with prompt() as at:
        at.keys.send_text("--profile bob status\noffer bob --input silence\n\x04")
    assert "These lines go to the session of profile 'default'" in at.shown
    assert "This session has its options already" in at.shown


async def test_events_are_told_and_talking_is_only_shown() -> None:
    async with prompt() as at:
        while at.repl.view.status is None:  # noqa: ASYNC110 - the view is looked at, not asked
            await asyncio.sleep(0.01)
        at.session.publish(TalkingStarted(did=BOB))
        for did, muted in ((ALICE, True), (BOB, True)):
            at.session.publish(
                ParticipantStateChanged(
                    call_id=CallId("c0"), did=did, muted=muted, deafened=False, recording=False
                )
            )
        at.session.publish(RecordingStarted(did=ALICE, path="/here"))
        at.session.publish(TalkingWhileMuted(did=ALICE))
        at.session.publish(TalkingWhileMuted(did=ALICE))
        at.session.ring()
        while not at.repl.view.status.pending_calls:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.01)
        at.keys.send_text("\x04")
    assert "bob is calling: accept beef0000" in at.shown
    assert "began to talk" not in at.shown
    assert at.shown.count("you are talking while muted") == 1
    assert ": muted" in at.shown
    assert "you: muted" not in at.shown
    assert "started recording" not in at.shown


async def test_who_was_found_before_the_prompt_is_told_once() -> None:
    async with prompt() as at:
        while "bob is here" not in at.shown:  # noqa: ASYNC110 - a screen tells nobody that it changed
            await asyncio.sleep(0.01)
        at.session.publish(PeerAppeared(did=BOB, nickname="bob"))
        at.session.publish(PeerVanished(did=BOB, nickname="bob"))
        while "bob is gone" not in at.shown:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.01)
        at.keys.send_text("\x04")
    assert at.shown.count("bob is here") == 1


async def test_a_look_that_finds_nothing_new_draws_nothing() -> None:
    async with prompt() as at:
        at.keys.send_text("offer bob\n")
        while "2 of 2 present" not in at.shown:  # noqa: ASYNC110 - a screen tells nobody that it changed
            await asyncio.sleep(0.01)
        await looks(at, 2)
        shown = at.shown
        await looks(at, 2)
        assert at.shown == shown
        at.session.state = msgspec.structs.replace(at.session.state, muted=True)
        await looks(at, 2)
        assert at.shown.count("muted") == 1
        at.keys.send_text("\x04")


async def looks(at: Prompted, count: int) -> None:
    """Wait until the panel has looked at the session so often."""

    def so_far() -> int:
        return sum(isinstance(request, GetRtpStatistics) for request in at.session.asked)

    enough = so_far() + count
    while so_far() < enough:  # noqa: ASYNC110 - the view is looked at, not asked
        await asyncio.sleep(0.01)


async def test_lines_are_kept_for_this_user_only(tmp_path: Path) -> None:
    async with prompt(tmp_path / "history") as at:
        at.keys.send_text("mute\n\x04")
    assert "+mute" in (tmp_path / "history").read_text()
    assert (tmp_path / "history").stat().st_mode & 0o777 == 0o600


@pytest.fixture
async def completer() -> LineCompleter:
    """Knows what a session that rings shows."""
    session = ScriptedSession()
    session.ring()
    view = LiveView(session, changed=lambda: None, tell=lambda *_: None)
    view.status = session.state
    view.peers = (await session.ask(GetPeers())).peers
    return LineCompleter(entry_point(), view, lambda: ("USB Headset",))


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("un", {"unmute", "undeafen"}),
        ("offer ", {"bob", "carol"}),
        ("offer bob c", {"carol"}),
        ("offer bob --wa", {"--wait"}),
        ("gain b", {"bob"}),
        ("gain bob ", set()),
        ("accept ", {"beef0000beef"}),
        ("contacts ", {"add", "list", "remove"}),
        ("set-input US", {"'USB Headset'"}),
        ("echo-cancel ", {"on", "off", "auto"}),
        ("noise-suppress h", {"high"}),
        ("auto-gain o", {"on", "off"}),
        ("record start --proc", {"--processing"}),
        ("set-output n", {"null"}),
        ("wait talking_st", {"talking_started", "talking_stopped"}),
        ("help of", {"offer"}),
        ("serv", set()),
        ("status --pro", set()),
        ("leave ", set()),
        ("nonsense 'x", set()),
    ],
)
async def test_tab_offers_what_fits(completer: LineCompleter, line: str, offered: set[str]) -> None:
    assert {
        completion.text for completion in completer.get_completions(Document(line), CompleteEvent())
    } == offered


def test_an_open_quote_is_completed_as_if_it_ended_here() -> None:
    assert split_words("set-input 'USB He") == (["set-input"], "USB He")


class Terminal:
    """`blink` in a pseudo-terminal."""

    def __init__(self, shell: Shell, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.process = subprocess.Popen(
            [*BLINK, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(shell.data_dir, TERM="xterm", PROMPT_TOOLKIT_NO_CPR="1"),
            start_new_session=True,
        )
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        self.screen = ""

    def read(self) -> None:
        """Take what the terminal was told within a tenth of a second."""
        if select.select([self.master], [], [], 0.1)[0]:
            self.screen += os.read(self.master, 65536).decode(errors="replace")

    def until(self, text: str) -> None:
        """Wait until the terminal was told a text; forget what came up to it."""
        deadline_s = time.monotonic() + 30
        while text not in self.screen:
            assert time.monotonic() < deadline_s, self.screen
            self.read()
        self.screen = self.screen.partition(text)[2]

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.master, text.encode())

    def ended(self) -> int:
        """Wait for the end, reading on so that the program is not held up; return the exit code."""
        deadline_s = time.monotonic() + 30
        while (code := self.process.poll()) is None:
            assert time.monotonic() < deadline_s, self.screen
            self.read()
        return code

    def until_busy(self) -> None:
        """Wait until a command runs: the keyboard is read in lines then, and does not show them."""
        deadline_s = time.monotonic() + 30
        while (modes := termios.tcgetattr(self._slave)[3]) & termios.ECHO or not modes & termios.ICANON:
            assert time.monotonic() < deadline_s, self.screen
            self.read()

    def is_as_before(self) -> bool:
        """Whether the program left the terminal as it found it."""
        return termios.tcgetattr(self._slave) == self.before

    def close(self) -> None:
        """End what is left."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._slave)
        os.close(self.master)


@pytest.fixture
def terminal(shell: Shell) -> Iterator[Terminal]:
    """A prompt in a terminal."""
    terminal = Terminal(shell, "repl", "--input", "silence", "--output", "null")
    yield terminal
    terminal.close()


def test_a_real_terminal_is_given_back_after_sigterm(terminal: Terminal) -> None:
    terminal.until("blink>")
    terminal.type("offer bob\r")
    terminal.until("2 of 2 present")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.ended() == 0
    assert terminal.is_as_before()


def test_ctrl_c_in_a_real_terminal_stops_the_command_and_not_the_session(terminal: Terminal) -> None:
    terminal.until("blink>")
    terminal.type("wait call_terminated\r")
    terminal.until_busy()  # at the prompt the signal would clear the line
    terminal.process.send_signal(signal.SIGINT)
    terminal.until("interrupted")
    terminal.until("blink>")
    terminal.type("quit\r")
    assert terminal.ended() == 0
    assert terminal.is_as_before()


def test_watch_shows_the_session_until_q(shell: Shell) -> None:
    with shell.serving():
        terminal = Terminal(shell, "watch")
        try:
            terminal.until("not in a call")
            terminal.type("q")
            assert terminal.ended() == 0
        finally:
            terminal.close()


def test_lines_that_were_pasted_are_commands_each(terminal: Terminal) -> None:
    terminal.until("blink>")
    terminal.type("\x1b[200~mute\nnonsense\n\nwhoami\x1b[201~\r")
    for told in ("muted", "No such command 'nonsense'", "did:key:"):
        terminal.until(told)
