"""The laboratory of one test: sessions on this machine that meet each other and nobody else, calls, and what was heard in them."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.listening import Clocks, Listener, Speaker
from blink_cli.lab.session_calls import together
from blink_cli.lab.sessions import Machine
from blink_cli.lab.voices import read_mono, voice, write_mono
from blink_cli.testing.lab_session import ANSWER_S, LabSession
from blink_cli.testing.loop_thread import LoopThread
from blink_cli.testing.who_was_heard import WhoWasHeard, judged

T = TypeVar("T")

SPEECH_S: Final = 12.0
"""Of the recorded speech that a microphone hears again and again."""

SHORTEST_S: Final = 1.0

SETTLING_S: Final = 0.3
"""What is heard right after a speaker was changed is left out: its start, and the fade."""


class LabCall:
    """A call of the laboratory's sessions, each connected to each."""

    def __init__(self, lab: "BlinkLab", call_id: str, sessions: Sequence[LabSession]) -> None:
        self._lab = lab
        self.id = call_id
        self.sessions = tuple(sessions)

    def listen(self, seconds: float = 3.0) -> WhoWasHeard:
        """Listen to everybody for some seconds, and say who heard whom, how late, and how well.

        Less than a second says little: what is made up for lost packets right after a line broke is like the voice before it.
        Those whose microphone is a file of speech count as speakers (every session that was not given another `input`); everybody listens.

        Raises:
            UsageError: It is less than a second.

        """
        if seconds < SHORTEST_S:
            raise UsageError(
                f"{seconds:g} s are too short to tell who was heard.",
                hint=f"Listen for {SHORTEST_S:g} s or more.",
            )
        return self._lab.run(_listened(self.sessions, seconds))


class BlinkLab:
    """What the fixture `blink_lab` gives. Everything blocks until it is done.

    One for each test, with a multicast group, folders and an event loop of its own, so that tests may run side by side.
    """

    def __init__(self) -> None:
        self._loop = LoopThread("blink lab")
        self._machine = Machine()
        self._folder = Path(tempfile.mkdtemp(prefix="blink-lab-"))
        self._voices = 0
        self.sessions: dict[str, LabSession] = {}
        """By nickname."""

    @property
    def folder(self) -> Path:
        """Of this test: sound files, and whatever else is to be kept when it fails."""
        return self._folder

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the laboratory's event loop: `lab.run(alice.api.offer("bob"))`."""
        return self._loop.run(work)

    def session(
        self,
        name: str,
        *,
        says: str | Path | None = None,
        input: str | None = None,  # noqa: A002 - the option's name
        output: str = "null",
        options: Sequence[str] = (),
    ) -> LabSession:
        """Start a session and wait until it is ready.

        Args:
            name: Of its profile, and what it calls itself.
            says: A sound file that its microphone hears again and again; None: recorded speech, another voice for each of three sessions.
            input: Another microphone instead, such as `silence`, `tone:440`, or a device.
            output: Its speaker, while nobody listens.
            options: More of `blink serve`.

        Raises:
            UsageError: There is one of this name already.
            AssertionError: It did not start; says all that it printed.

        """
        self._require_new((name,))
        return self.run(self._started(name, says=says, input_=input, output=output, options=options))

    def started(self, *names: str, options: Sequence[str] = ()) -> list[LabSession]:
        """Start several sessions at once, each with another voice: `alice, bob = blink_lab.started("alice", "bob")`.

        Arguments and errors as `session` has them.
        """
        self._require_new(names)
        starts = (
            self._started(name, says=None, input_=None, output="null", options=options) for name in names
        )
        return self.run(together(*starts))

    def _require_new(self, names: Sequence[str]) -> None:
        """A name is a profile, and a profile has one session at a time."""
        for place, name in enumerate(names):
            if name in names[:place]:
                raise UsageError(
                    f"Two sessions cannot both be called {name}.",
                    hint="Give each a name of its own: `blink_lab.started('alice', 'bob')`.",
                )
            if name in self.sessions and self.sessions[name].runs:
                raise UsageError(
                    f"This test has a session called {name} already.",
                    hint=f"`blink_lab.sessions[{name!r}]` is it; choose another name for one more.",
                )

    def speech(self, voice_number: int = 0, seconds: float = SPEECH_S) -> Path:
        """Write recorded speech of one of three voices into a WAV file of this test, and return its path."""
        path = self._folder / f"voice-{voice_number % 3}-{seconds:g}s.wav"
        return path if path.exists() else write_mono(path, voice(voice_number, seconds))

    @contextmanager
    def call(self, caller: LabSession, *others: LabSession, timeout_s: float = 15.0) -> Iterator[LabCall]:
        """Make a call, wait until everybody has everybody's audio, and leave it at the end.

        Raises:
            AssertionError: They were not connected in time.

        """
        call_id = self.run(_entered(caller, others, timeout_s))
        try:
            yield LabCall(self, call_id, (caller, *others))
        except BaseException:
            # The report of a failure tells of the call, and not of what is left when it is over.
            self.run(together(*(one.note_state() for one in (caller, *others))))
            raise
        finally:
            self.run(_left((caller, *others)))

    def place(self, profile: str) -> dict[str, Any]:
        """Return what `blink_cli.open_session` needs to open a session of this process that meets the others: `open_session(**lab.place("carol"))`."""
        return {
            "profile": profile,
            "data_dir": self._machine.data_directory(profile),
            "group": self._machine.group,
            "interfaces": () if self._machine.interface is None else (self._machine.interface,),
        }

    def keep(self, where: Path) -> list[str]:
        """Copy all that tells what became of the test's sessions into a folder; returns a line for each session. Called when the test failed."""
        where.mkdir(parents=True, exist_ok=True)
        lines = self.run(self._kept(where))
        for path in sorted(self._folder.rglob("*")):
            if path.is_file():
                target = where / path.relative_to(self._folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        (where / "report.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return lines

    def close(self) -> None:
        """End every session, and remove its folders."""
        try:
            self.run(self._closed())
        finally:
            self._loop.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _started(
        self, name: str, *, says: str | Path | None, input_: str | None, output: str, options: Sequence[str]
    ) -> LabSession:
        speech = None
        if input_ is None:
            self._voices += 1
            speech = Path(says) if says is not None else self.speech(self._voices - 1)
            input_ = f"file:{speech.absolute()}?loop=1"
        before = self.sessions.pop(name, None)
        if before is not None:
            await before.aclose()
        process = await self._machine.serve(name, "--input", input_, "--output", output, *options)
        session = self.sessions[name] = LabSession(process, self._loop, speech, self._folder)
        await session.attach()
        return session

    async def _kept(self, where: Path) -> list[str]:
        return [line for session in self.sessions.values() for line in await session.keep(where)]

    async def _closed(self) -> None:
        for session in self.sessions.values():
            await session.aclose()
        await self._machine.aclose()


async def _entered(caller: LabSession, others: Sequence[LabSession], timeout_s: float) -> str:
    try:
        call, *_ = await together(
            caller.api.offer(*(one.did for one in others), wait_s=timeout_s),
            *(one.api.accept(wait_s=timeout_s) for one in others),
        )
        for session in (caller, *others):
            entered = await session.api.current_call()
            if entered is not None:
                peers = [one.did for one in (caller, *others) if one is not session]
                await entered.until_connected(*peers, timeout_s=timeout_s)
    except BlinkError as error:
        hint = f" {error.hint}" if error.hint else ""
        raise AssertionError(f"The call did not come about: {error.message}{hint}") from error
    return str(call.id)


async def _left(sessions: Sequence[LabSession]) -> None:
    for session in sessions:
        # The test may have left it, or ended the session, or let it stand still.
        with suppress(BlinkError, TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                if await session.api.current_call() is not None:
                    await session.api.leave()


async def _listened(sessions: Sequence[LabSession], seconds: float) -> WhoWasHeard:
    files = dict(zip(sessions, await together(*(one.hear_into_new_file() for one in sessions)), strict=True))
    await asyncio.sleep(SETTLING_S)
    start_s = time.monotonic()
    await asyncio.sleep(seconds)
    clocks = [await _clocks(one) for one in sessions]
    await together(*(one.api.set_output("null") for one in sessions))  # the files are whole then

    def compare() -> WhoWasHeard:
        said: dict[Path, Samples] = {}
        speakers, listeners = {}, {}
        for session, clock in zip(sessions, clocks, strict=True):
            listeners[session.nickname] = Listener(clock, read_mono(files[session]))
            if session.says is not None:
                sound = said.setdefault(session.says, read_mono(session.says))
                speakers[session.nickname] = Speaker(clock, sound)
        return judged(speakers, listeners, start_s, seconds)

    return await asyncio.to_thread(compare)


async def _clocks(session: LabSession) -> Clocks:
    clocks = (await session.api.status()).clocks
    return Clocks(clocks.monotonic_s, clocks.input_position_s, clocks.output_position_s)
