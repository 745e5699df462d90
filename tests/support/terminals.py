"""Programs in real terminals: tmux, of any size, whose screen can be read off and whose keys can be pressed."""

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from blink_cli.lab.requirements import require_program

PATIENCE_S = 30.0
LOOK_S = 0.05
"""Between two looks at a screen: nothing tells when it changed."""


class Terminal:
    """One program in one terminal of its own tmux server; the server ends with it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int,
        rows: int,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start a program.

        Args:
            command: The program and its arguments.
            columns: Width.
            rows: Height.
            environment: Instead of this process's; `COLUMNS` and `LINES` are left out, a terminal knows its size.

        """
        require_program("tmux")
        self._folder = tempfile.mkdtemp(prefix="blink-tmux-")
        kept = dict(os.environ if environment is None else environment)
        for name in ("COLUMNS", "LINES", "TMUX", "NO_COLOR"):
            kept.pop(name, None)
        self._environment = {**kept, "LANG": "C.UTF-8", "TMUX_TMPDIR": self._folder}
        # What the program says last can be read after its end.
        shown = f"{shlex.join(command)}; echo ended with $?; exec sleep 1000"
        self._tmux(
            *("-f", "/dev/null", "-u", "new-session", "-d", "-x", str(columns), "-y", str(rows)),
            *("sh", "-c", shown),
        )

    @property
    def lines(self) -> list[str]:
        """The screen now, without blanks at the ends of lines and of the screen."""
        return self._tmux("capture-pane", "-p").rstrip("\n").split("\n")

    @property
    def text(self) -> str:
        """The same as one string."""
        return "\n".join(self.lines)

    @property
    def history(self) -> str:
        """The screen and all that scrolled off it."""
        return self._tmux("capture-pane", "-p", "-S", "-").rstrip("\n")

    def until(self, holds: Callable[[str], bool] | str) -> list[str]:
        """Wait until the screen is as wanted, or shows a text, and return its lines.

        Raises:
            AssertionError: It is not so in time; shows the screen.

        """
        wanted = (lambda text: holds in text) if isinstance(holds, str) else holds
        deadline_s = time.monotonic() + PATIENCE_S
        while not wanted(text := self.text):
            assert time.monotonic() < deadline_s, f"{holds!r} is not on the screen:\n{self.history}"
            time.sleep(LOOK_S)
        return text.split("\n")

    def enter(self, text: str) -> None:
        """Press the keys of a text."""
        self._tmux("send-keys", "-l", text)

    def run_line(self, text: str) -> None:
        """Press the keys of a line, and Enter."""
        self.enter(text)
        self.press("Enter")

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: `Enter`, `C-z`, `Down`."""
        self._tmux("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        """Make the window another size, as a user does."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def close(self) -> None:
        """End the program and its terminal."""
        subprocess.run(["tmux", "kill-server"], capture_output=True, check=False, env=self._environment)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
            env=self._environment,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
