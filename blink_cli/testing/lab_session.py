"""A session of the laboratory, for an ordinary test function: its methods block."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from typing_extensions import override

from blink_cli.api.checking import ExpectationError
from blink_cli.api.documents import AssertReport
from blink_cli.api.json_documents import to_json
from blink_cli.api.opening import connect
from blink_cli.api.session import Session
from blink_cli.core.api.replies.impairment import ImpairmentShown
from blink_cli.core.api.replies.statistics import RtpStatistics
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import R, Request
from blink_cli.core.errors import BlinkError
from blink_cli.core.fact import Fact
from blink_cli.core.ids import Did
from blink_cli.lab.sessions import Session as SessionProcess
from blink_cli.testing.loop_thread import LoopThread

T = TypeVar("T")
E = TypeVar("E", bound=Fact)

ANSWER_S: Final = 5.0
"""A session that does not answer for so long is not waited for: it stands still, or its test stopped it."""

KEPT_EVENTS: Final = 2000
"""For the report of a failure."""


class LabSession:
    """A `blink serve` of its own process, and the connection of this test to it.

    Errors are `BlinkError`s with the session's own sentence, and `AssertionError`s where a process or a call is not as it should be.
    """

    def __init__(self, process: SessionProcess, loop: LoopThread, says: Path | None, folder: Path) -> None:
        """Use `BlinkLab.session`."""
        self._process = process
        self._loop = loop
        self._says = says
        self._folder = folder
        self._stack = AsyncExitStack()
        self._following: asyncio.Task[None] | None = None
        self._events: deque[dict[str, Any]] = deque(maxlen=KEPT_EVENTS)
        self._session: Session | None = None
        self._listened = 0
        self._noted: dict[str, Any] | None = None

    @override
    def __repr__(self) -> str:
        return f"LabSession({self.nickname!r})"

    @property
    def nickname(self) -> str:
        """What it calls itself: the name with which the test made it."""
        return self._process.nickname

    @property
    def profile(self) -> str:
        """Of its identity."""
        return self._process.profile

    @property
    def runs(self) -> bool:
        """Whether its process has not ended."""
        return self._process.process is not None and self._process.process.returncode is None

    @property
    def did(self) -> Did:
        """Who it is."""
        return Did(self._process.did)

    @property
    def data_dir(self) -> Path:
        """The folder of its profile, for other commands and programs."""
        return self._process.machine.data_directory(self.profile)

    @property
    def says(self) -> Path | None:
        """The sound file that its microphone hears again and again; None of another microphone."""
        return self._says

    @property
    def folder(self) -> Path:
        """Where its sound files are, and what the test wants to be kept when it fails."""
        return self._folder

    @property
    def api(self) -> Session:
        """The same session for `await`, on the laboratory's event loop: `lab.run(alice.api.peers())`."""
        assert self._session is not None, "it runs"
        return self._session

    def run(self, method: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
        """Await a method of the session and return its result: `alice.run(lambda session: session.gain("bob", 3))`."""
        return self._loop.run(method(self.api))

    def ask(self, request: Request[R]) -> R:
        """Carry out a request."""
        return self._loop.run(self.api.ask(request))

    def blink(self, *words: str) -> Any:
        """Run a command of its profile and return its JSON document.

        Raises:
            AssertionError: It failed; says all that it printed.

        """
        return self._loop.run(self._process.ask(*words))

    def status(self) -> Status:
        """The session at a glance."""
        return self._loop.run(self.api.status())

    def rtp_stats(self) -> RtpStatistics:
        """Figures of its call."""
        return self._loop.run(self.api.rtp_stats())

    def impair(self, *words: str) -> ImpairmentShown:
        """Make its network bad on purpose: `bob.impair("in", "loss=3%", "seed=7")`, `bob.impair("off")`."""
        return self._loop.run(self.api.impair(*words))

    def check(self, *expectations: str, for_s: float | None = None) -> AssertReport:
        """Say whether its call is as expected, in the words of `blink assert`."""
        return self._loop.run(self.api.check(*expectations, for_s=for_s))

    def expect(self, *expectations: str, for_s: float | None = None) -> AssertReport:
        """Fail the test where its call is not as expected: `bob.expect("loss<1%", "talking(alice)", for_s=3)`.

        Raises:
            AssertionError: With what was measured.

        """
        __tracebackhide__ = True  # pytest shows the line of the test
        try:
            return self._loop.run(self.api.expect(*expectations, for_s=for_s))
        except ExpectationError as failed:
            raise failed.with_traceback(None) from None

    def wait_for(
        self, kind: type[E], *, timeout_s: float = 15.0, where: Callable[[E], bool] = lambda _: True
    ) -> E:
        """Return the next event of a kind; see `Session.wait_for`."""
        return self._loop.run(self.api.wait_for(kind, timeout_s=timeout_s, where=where))

    @property
    def events(self) -> list[dict[str, Any]]:
        """What has happened since it was made, the last 2000 events, as `blink events --json` prints them."""
        return list(self._events)

    # for the laboratory, on its event loop

    async def attach(self) -> None:
        """Connect to the process that runs."""
        self._session = await self._stack.enter_async_context(
            connect(profile=self.profile, data_dir=self.data_dir)
        )
        begun = asyncio.Event()
        self._following = asyncio.get_running_loop().create_task(
            self._follow(begun), name=f"events of {self.profile}"
        )
        await begun.wait()

    async def aclose(self) -> None:
        """Disconnect; the process is the machine's."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait((self._following,))
        await self._stack.aclose()

    async def hear_into_new_file(self) -> Path:
        """Use a speaker that writes into a file of its own, from now on."""
        self._listened += 1
        path = self._folder / f"{self.nickname}-heard-{self._listened}.wav"
        await self.api.set_output(f"wav:{path}")
        return path

    async def note_state(self) -> None:
        """Remember how it is now, for the report of a failure."""
        told: dict[str, Any] = {}
        for name, asked in (("status", self.api.status), ("rtp_stats", self.api.rtp_stats)):
            try:
                async with asyncio.timeout(ANSWER_S):
                    told[name] = to_json(await asked())
            except BlinkError as error:
                told[name] = {"error": error.message}
            except TimeoutError:
                told[name] = {"error": f"no answer in {ANSWER_S:g} s"}
        told["recent"] = [event["event"] for event in list(self._events)[-8:]]
        self._noted = told

    async def keep(self, where: Path) -> list[str]:
        """Write all that tells what became of it into a folder; returns its last words."""
        lines = [json.dumps(event) for event in self._events]
        (where / f"{self.nickname}-events.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (where / f"{self.nickname}-messages.txt").write_text(
            self._process.report("printed") + "\n", encoding="utf-8"
        )
        if self._noted is None:
            await self.note_state()
        told = self._noted or {}
        (where / f"{self.nickname}-state.json").write_bytes(msgspec.json.format(msgspec.json.encode(told)))
        for log in sorted(self._log_folder.glob("*.log*")):
            (where / f"{self.nickname}-{log.name}").write_bytes(log.read_bytes())
        recent = ", ".join(told["recent"]) or "none"
        return [f"{self.nickname}: {_at_a_glance(told['status'])}; last events: {recent}"]

    @property
    def _log_folder(self) -> Path:
        return self.data_dir / "profiles" / self.profile / "logs"

    async def _follow(self, begun: asyncio.Event) -> None:
        async with self.api.events() as events:
            begun.set()
            async for event in events:
                self._events.append(to_json(event))


def _at_a_glance(status: dict[str, Any]) -> str:
    if "error" in status:
        return str(status["error"])
    call = status["call"]
    if call is None:
        return "in no call"
    people = ", ".join(f"{one['nickname']} {one['link']}" for one in call["participants"])
    return f"{call['state']} with {people}"
