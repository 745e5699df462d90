"""Runs the examples of a page: fenced blocks marked `console`, in which a line with `$ ` is a command and those below it are what it prints on stdout.

`…` in what is shown stands for anything, on one line or as a line of its own for any lines. Nothing shown: what is printed does not matter. A command must end with 0.
A block that cannot be run is marked by a comment on the line before it, which says why: `<!-- not run: it needs a microphone -->`.
"""

import os
import re
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOT_RUN: Final = re.compile(r"<!-- not run: .+ -->\n\Z")
_MARK: Final = "-- the example is over: "
_SHOWS_BLINK: Final = re.compile(r"^\s*(\$ )?blink ", re.MULTILINE)


@dataclass(slots=True)
class Example:
    """One command."""

    line: int
    command: str
    shown: list[str] = field(default_factory=list)

    def fits(self, printed: str) -> bool:
        """Whether it printed what the page shows."""
        if not self.shown:
            return True
        pattern = "".join(
            r"(?:.*\n)*?" if line.strip() == "…" else ".*".join(map(re.escape, line.split("…"))) + r"[ \t]*\n"
            for line in self.shown
        )
        return re.fullmatch(pattern, printed) is not None


def examples_of(page: Path) -> list[Example]:
    """Those that are run.

    Raises:
        ValueError: A block shows commands of ours, and is neither marked as run nor as not run.

    """
    text = page.read_text(encoding="utf-8")
    found: list[Example] = []
    for block in _FENCE.finditer(text):
        line = text.count("\n", 0, block.start()) + 1
        if _NOT_RUN.search(text[: block.start()]):
            continue
        if block[1] != "console":
            if _SHOWS_BLINK.search(block[2]):
                raise ValueError(f"{page.name}:{line}: mark it `console`, or say before it why it is not run")
            continue
        for number, shown in enumerate(block[2].splitlines(), line + 1):
            if shown.startswith("$ "):
                found.append(Example(number, shown[2:]))
            else:
                found[-1].shown.append(shown)
    return found


def run(page: Path, folder: Path, program: tuple[str, ...], serve: tuple[str, ...]) -> list[str]:
    """Run a page's examples in a folder, one after the other in one shell; return what was otherwise than shown.

    Args:
        page: Markdown.
        folder: Where they run; profiles and home are made in it. Its path is short: sockets are in it.
        program: What `blink` stands for.
        serve: Added to each session that is started, so that it meets nobody but those of this page.

    """
    examples = examples_of(page)
    script = [
        f'blink() {{ if [[ " $* " == *" serve "* ]]; then {shlex.join(program)} "$@" {shlex.join(serve)}; else {shlex.join(program)} "$@"; fi; }}',
        "set -o pipefail",
    ]
    for one in examples:
        script += [one.command, f"echo {shlex.quote(_MARK)}$?"]
    ran = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env={
            **os.environ,
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "BLINK_DATA_DIR": str(folder / "data"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if os.environ.get("SHOW_MESSAGES") else subprocess.PIPE,
        text=True,
        check=False,
        timeout=110,
    )
    *printed, _rest = re.split(rf"^{_MARK}(\d+)\n", ran.stdout, flags=re.MULTILINE)
    wrong = []
    for one, told, code in zip(examples, printed[::2], printed[1::2], strict=True):
        if code != "0" or not one.fits(told):
            wrong.append(f"{page.name}:{one.line}: {one.command}\nended with {code} and printed\n{told}")
    if wrong:
        wrong.append(f"messages:\n{ran.stderr}")
    return wrong
