"""Tab in bash, zsh and fish: what others chose is offered as text that means itself, and nothing of it is executed.

The shells are real, at a terminal of their own. Only the line that Enter accepts goes to a stub, which tells what words it got.
"""

import contextlib
import os
import pty
import select
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.commands import shell_completion
from blink_cli.commands.completion_scripts import SCRIPTS
from blink_cli.commands.shell_words import ShellName, bash_replacement, typed_line
from blink_cli.core.api.replies.peers import Peer, Peers
from blink_cli.core.ids import Did
from blink_cli.lab.requirements import require_program
from tests.commands.conftest import ROOT, Here, Shell

pytestmark = pytest.mark.no_clock(sockets=True)

PATIENCE_S = 30

# Every character that means something to one of the shells, in names that begin with a number each; those that cannot be printed apart,
# since they are quoted another way.
METACHARACTERS = (
    " \t",
    "\n\x1b[31m\x07\x08",
    "'\"\\",
    "$HOME`touch pwned`$(touch pwned)",
    "(touch pwned);touch pwned|touch pwned&touch pwned<x>pwned",
    "*?[a]{a,b}!!#x^x~=%@:+,",
    "\u202eé\udce9",
)
WORST = "'\"\\$(touch pwned)`touch pwned`;&|<>*?[]{}!!#~^=%@:\n \u00e9"

STUB = """#!/bin/sh
if [ -n "$_BLINK_COMPLETE" ]; then exec {python} -m blink_cli "$@"; fi
{{ printf '%s\\0' "$#"; [ "$#" -eq 0 ] || printf '%s\\0' "$@"; }} > {told}
"""


class Typist:
    """Somebody at a shell's prompt, in a folder of his own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._told = os.open(folder.parent / "told", os.O_RDWR)
        self._terminal = -1
        self._seen = b""

    @contextlib.contextmanager
    def at(self, shell: ShellName, data_dir: Path) -> Iterator[Self]:
        """Sit down at a shell whose completion is set up."""
        home = self.folder.parent
        script = home / f"blink.{shell}"
        script.write_text(SCRIPTS[shell])
        setup = {
            "bash": ("bash", "--noprofile", "--norc", "-i"),
            "zsh": ("zsh", "-f", "-i"),
            "fish": ("fish", "--no-config", "-i"),
        }[shell]
        environment = {
            "PATH": f"{home}/bin:{os.environ['PATH']}", "HOME": str(home), "TERM": "xterm", "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT), "BLINK_DATA_DIR": str(data_dir), "XDG_CONFIG_HOME": str(home / ".config"),
        }  # fmt: skip
        pid, self._terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execvpe(setup[0], setup, environment)
        try:
            if shell == "zsh":
                self.types("autoload -Uz compinit; compinit -u -D\r")
            self.types(f"source {script}\rblink ready\r")
            assert self.words() == ["ready"]
            yield self
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            os.close(self._terminal)
            os.close(self._told)

    def types(self, text: str) -> None:
        """Press these keys."""
        os.write(self._terminal, text.encode(errors="surrogateescape"))

    def words(self) -> list[str]:
        """What `blink` was started with by the next line that was accepted."""
        got, until = b"", time.monotonic() + PATIENCE_S
        while not (fields := got.split(b"\0"))[0].isdigit() or len(fields) < int(fields[0]) + 2:
            ready, _, _ = select.select([self._told, self._terminal], [], [], until - time.monotonic())
            assert ready, f"got {got!r}; the terminal showed {self._seen[-2000:]!r}"
            if self._terminal in ready:
                self._seen += os.read(self._terminal, 65_536)
            if self._told in ready:
                got += os.read(self._told, 65_536)
        return [os.fsdecode(field) for field in fields[1:-1]]


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    folder, programs = tmp_path / "folder", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    os.mkfifo(tmp_path / "told")
    stub = programs / "blink"
    stub.write_text(STUB.format(python=sys.executable, told=tmp_path / "told"))
    stub.chmod(0o755)
    return Typist(folder)


@pytest.fixture(params=["bash", "zsh", "fish"])
def shell_name(request: pytest.FixtureRequest) -> ShellName:
    name: ShellName = request.param
    require_program(name)
    return name


def test_what_tab_makes_of_a_files_name_means_that_file_and_is_not_executed(
    typist: Typist, shell_name: ShellName, shell: Shell
) -> None:
    names = [f"{number:02d}{odd}z.csv" for number, odd in enumerate(METACHARACTERS)]
    if shell_name == "fish":
        names = [name.replace("\t", "") for name in names]  # it cannot be told of one
    for name in [*names, f"w{WORST}", "k?loop=1", "-dash"]:
        (typist.folder / name).touch()
    with typist.at(shell_name, shell.data_dir):
        for number, name in enumerate(names):
            typist.types(f"blink rtp-analyze {number:02d}\t\r")
            assert typist.words() == ["rtp-analyze", name]
        worst = f"w{WORST}"
        for begun, closing, word in (
            ("w", "", worst),
            ("'w", "", worst),
            ('"w', "", worst),
            ("./w", "", f"./{worst}"),
            ("./-", "", "./-dash"),
            ("file:w", "", f"file:{worst}"),
            ("file:'w", "", f"file:{worst}"),
            ("file:k", "", "file:k?loop=1?ppm=0"),
        ):
            command = "set-input" if "file:" in begun else "rtp-analyze"
            typist.types(f"blink {command} {begun}\t{closing}\r")
            assert typist.words() == [command, word], begun
        typist.types("blink set-output wav:w\t\r")
        assert typist.words() == ["set-output", f"wav:{worst}"]
    there = {entry.name for entry in typist.folder.iterdir()}
    assert there == {*names, worst, "k?loop=1", "-dash"}, "something was executed"


@pytest.mark.parametrize("begun", ["", "wo", "'wo", '"wo', "$'wo", "wo'x", "file:", "file:'", "w\\o", "'w'o"])
@given(
    rest=st.text(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"], include_characters="\udce9"),
        max_size=12,
    )
)
def test_bash_reads_back_what_is_put_into_its_line(begun: str, rest: str) -> None:
    typed = typed_line(f"blink offer {begun}", "bash")
    value = typed.last + rest
    # What bash keeps of the word: all up to the open quote, or to the last character at which it breaks words.
    kept = begun[: begun.rindex(typed.quote) + len(typed.quote) if typed.quote else begun.rfind(":") + 1]
    line = f"blink offer {kept}{bash_replacement(value, typed)}"
    closed = typed_line(f"{line}{typed.quote[-1:]} ", "bash")
    assert closed.words == (("blink", "offer", value) if value or kept else ("blink", "offer"))


STRANGER, CONTACT = Did("did:key:z6MkStranger"), Did("did:key:z6MkContact")


def peer(did: Did, nickname: str, *, in_contacts: bool) -> Peer:
    return Peer(
        did=did, nickname=nickname, address=None, alive=True, last_seen_ms=None, in_contacts=in_contacts
    )


@pytest.mark.parametrize(
    "claim", ["$(id)", "a b", "-rf", "~root", "a;b", "a'b", "…AbCdEf", "\u0430nna", "", "a\nb", "bob/.."]
)
def test_a_strangers_claim_is_offered_only_if_it_is_plain(
    claim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = (peer(STRANGER, claim, in_contacts=False), peer(CONTACT, "my friend", in_contacts=True))
    monkeypatch.setattr(shell_completion, "_ask", lambda _request: Peers(peers=peers))
    assert shell_completion.complete_peer("") == [STRANGER, "my friend"]
    assert shell_completion.offered_name(peer(STRANGER, "bert_2.x-y", in_contacts=False)) == "bert_2.x-y"


def test_a_files_name_that_reads_like_an_option_or_a_home_folder_is_offered_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("-o.csv", "~root", "plain"):
        (tmp_path / name).touch()
    assert shell_completion.complete_path("") == ["./-o.csv", "plain", "./~root"]
    assert shell_completion.complete_input("file:./") == ["file:./-o.csv", "file:./plain", "file:./~root"]
    assert shell_completion.complete_path(f"{tmp_path}/~") == [f"{tmp_path}/~root"]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_each_shells_script_is_printed_whatever_shell_asks(name: ShellName, shell: Shell, here: Here) -> None:
    for words in (("completion", name), ("--show-completion", name)):
        assert here(shell, *words).stdout.rstrip() == SCRIPTS[name].rstrip()


def test_a_shell_that_cannot_complete_is_told(shell: Shell, here: Here) -> None:
    ran = here(shell, "completion", "tcsh")
    assert (ran.exit_code, "bash, zsh or fish" in ran.stderr) == (2, True)


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_installing_twice_changes_nothing_more(
    name: ShellName, shell: Shell, here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".bashrc").write_bytes(b"# mine \xe9")
    assert here(shell, "--install-completion", name).exit_code == 0
    once = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert here(shell, "completion", name, "--install").exit_code == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == once
    assert SCRIPTS[name].encode() in once.values()
    assert once[tmp_path / ".bashrc"].startswith(b"# mine \xe9")
