"""A terminal that a test plays itself: it answers what terminals are asked, as quickly and as slowly as the test says, and tells when what came."""

import os
import re
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

PATIENCE_S = 30.0
_CPR = b"\x1b[6n"
_POSITION = b"\x1b[5;1R"
_ATTRIBUTES = b"\x1b[c"


class PtyTerminal:
    """One program behind a pseudo-terminal."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        columns: int = 80,
        rows: int = 24,
        attributes: bytes = b"\x1b[?62;22c",
        kitty: bool = False,
    ) -> None:
        import fcntl  # noqa: PLC0415 - POSIX
        import pty  # noqa: PLC0415 - POSIX
        import termios  # noqa: PLC0415 - POSIX

        self._end, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        kept = {
            name: value
            for name, value in environment.items()
            if name not in {"TMUX", "LINES", "COLUMNS", "NO_COLOR"}
        }
        self._process = subprocess.Popen(
            command,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env={**kept, "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        os.close(inner)
        self._attributes = attributes
        self._kitty = kitty
        self.rate_bytes_s: float | None = None
        """How fast it reads; None: at once."""

        self.shown = b""
        """All that came."""

        self.asked = 0
        """How often it was asked where its cursor is."""

        self.holds_answers = False
        """Whether it does not say yet where its cursor is, as over a slow line."""

        self._held = 0

    def read(self, for_s: float) -> bytes:
        """Take and answer what comes for so long, and return it."""
        until_s = time.monotonic() + for_s
        came = b""
        while (left_s := until_s - time.monotonic()) > 0:
            came += self.take(left_s)
        return came

    def take(self, within_s: float) -> bytes:
        """Take and answer what comes next."""
        if not select.select([self._end], [], [], within_s)[0]:
            return b""
        most = 65536 if self.rate_bytes_s is None else max(64, int(self.rate_bytes_s * 0.005))
        try:
            came = os.read(self._end, most)
        except OSError:
            return b""
        if self.rate_bytes_s is not None:
            time.sleep(len(came) / self.rate_bytes_s)
        before = len(self.shown)
        self.shown += came
        self._answer(self.shown[max(0, before - 16) :], min(16, before))
        return came

    def until(self, wanted: bytes | re.Pattern[bytes], *, since: int = 0) -> float:
        """Take until this was shown, and return when."""
        until_s = time.monotonic() + PATIENCE_S
        pattern = re.compile(re.escape(wanted)) if isinstance(wanted, bytes) else wanted
        while pattern.search(self.shown, since) is None:
            left_s = until_s - time.monotonic()
            assert left_s > 0, f"{wanted!r} was not shown: ...{self.shown[-2000:]!r}"
            self.take(left_s)
        return time.monotonic()

    def press(self, text: str) -> None:
        """Press keys."""
        os.write(self._end, text.encode())

    def answer(self) -> None:
        """Give the answers that were held."""
        self.holds_answers = False
        os.write(self._end, _POSITION * self._held)
        self._held = 0

    def close(self) -> None:
        """End the program."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            until_s = time.monotonic() + PATIENCE_S
            while self._process.poll() is None and time.monotonic() < until_s:
                self.take(0.05)
        self._process.kill()
        self._process.wait()
        os.close(self._end)

    def _answer(self, text: bytes, old: int) -> None:
        def new(question: bytes) -> int:
            found = [match.end() for match in re.finditer(re.escape(question), text)]
            return sum(end > old for end in found)

        for _ in range(new(_CPR)):
            self.asked += 1
            if self.holds_answers:
                self._held += 1
            else:
                os.write(self._end, _POSITION)
        if self._kitty and new(b"a=q"):
            os.write(self._end, b"\x1b_Gi=31;OK\x1b\\")
        for _ in range(new(_ATTRIBUTES)):
            os.write(self._end, self._attributes)

    def __enter__(self) -> Self:
        assert sys.platform != "win32"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
