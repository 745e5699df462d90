"""A call of three on this machine, through the public commands, that checks what each one heard.

    alice, bob, carol: `blink serve`, recorded speech as microphone, a WAV file as speaker
        alice offers, bob and carol accept, everybody talks in turns, everybody leaves
    then, for each of the six pairs: does what the listener's speaker played agree with what the speaker said?

Exit codes as the program's own: 0 all heard all, 6 somebody did not, 1 something else failed.
"""

import argparse
import asyncio
import json
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blink_cli.core.exit_codes import ExitCode
from blink_cli.lab.listening import Clocks, Listener, Speaker, who_is_heard
from blink_cli.lab.program_run import CommandError
from blink_cli.lab.session_calls import together
from blink_cli.lab.session_events import Events, moment
from blink_cli.lab.sessions import Machine, Session
from blink_cli.lab.voices import read_mono, turn, write_mono

NAMES = ("alice", "bob", "carol")

HEARD_CORRELATION = 0.75
"""A speaker who is heard reaches 0.95 and more through codec and network; one who is not stays below 0.3. In between lies a machine so
busy that the voice threads are late and the playout delay moves within the call: heard, but not as it should be. The figure says so."""

TURN_S = 3.0
DEFAULT_TALK_S = 10.0
"""A little more than one turn of each."""

MAX_DELAY_S = 0.5
"""The longest mouth-to-ear delay looked for."""

SETTLE_S = 1.0
"""What is measured begins so long after the links stand: a playout buffer begins with a guess of the network."""

CONNECT_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the call showed."""

    setup_ms: int
    """From alice's offer to the last link, by the sessions' own events; starting the commands is not in it."""

    heard: list[dict[str, Any]]
    """One object for each (listener, speaker)."""

    @property
    def ok(self) -> bool:
        """Everybody heard everybody."""
        return all(pair["correlation"] >= HEARD_CORRELATION for pair in self.heard)


class Story:
    """Tells what happens: on stdout to a person, on stderr beside a JSON result."""

    def __init__(self, *, json_result: bool) -> None:
        self._stream = sys.stderr if json_result else sys.stdout

    def tell(self, text: str = "") -> None:
        """Print a line."""
        print(text, file=self._stream, flush=True)

    async def show(self, session: Session, *command: str) -> None:
        """Run a command as a person would and print what it prints."""
        self.tell(f"\n  $ blink --profile {session.profile} {' '.join(command)}")
        finished = await session.machine.run(session.profile, *command)
        if finished.exit_code:
            raise CommandError(finished.report())
        for line in finished.stdout.rstrip().splitlines():
            self.tell(f"    {line}")


async def call_of_three(story: Story, machine: Machine, *, talk_s: float, silenced: str | None) -> Outcome:
    """Make the call, tell it, and return what everybody heard.

    Args:
        story: Where to tell it.
        machine: Where the sessions run; left running.
        talk_s: How long they talk, seconds.
        silenced: Who is muted all the while, to see the check fail.

    """
    story.tell(
        "Three sessions, each its own process, with recorded speech as microphone and a WAV file as speaker:"
    )
    started = await together(*(_serve(machine, name, index) for index, name in enumerate(NAMES)))
    sessions: dict[str, Session] = dict(zip(NAMES, started, strict=True))
    for session in sessions.values():
        story.tell(
            f"\n  $ blink --profile {session.profile} serve --nickname {session.profile}"
            f" --input file:{session.profile}-says.wav?loop=1 --output wav:{session.profile}-hears.wav"
            f"\n    {session.did}"
        )
    alice, *others = sessions.values()
    # Two of a profile's contacts are one file: one after the other.
    for other in others:
        await alice.blink("contacts", "add", other.profile, other.did)
    if silenced:
        await sessions[silenced].blink("mute")
    events: list[Events] = await together(*(session.events() for session in sessions.values()))

    story.tell("\nalice calls the others, by the names that she has for them, and they accept:\n")
    wait = f"{CONNECT_TIMEOUT_S:.0f}"
    for other in others:
        story.tell(f"  $ blink --profile {other.profile} accept --wait {wait}")
    story.tell(f"  $ blink --profile alice offer {' '.join(o.profile for o in others)}")
    offer, *_ = await together(
        alice.ask("offer", *(o.profile for o in others)), *(o.ask("accept", "--wait", wait) for o in others)
    )
    story.tell(f"    {offer['call']}")
    begun = moment(await events[0].next("call_joined"))
    whole = max(await together(*(e.links(2, timeout_s=CONNECT_TIMEOUT_S) for e in events)))
    await together(*(e.aclose() for e in events))
    setup_ms = round((whole - begun).total_seconds() * 1000)
    story.tell(
        f"\nEverybody is connected to everybody, {setup_ms} ms after the offer. They talk in turns, for {talk_s:g} s."
    )

    talked_from_s = time.monotonic() + SETTLE_S
    await asyncio.sleep(SETTLE_S + talk_s / 2)
    await story.show(alice, "participants")
    await asyncio.sleep(max(talked_from_s + talk_s - time.monotonic(), 0))
    talked_s = time.monotonic() - talked_from_s
    asked = await together(*(s.ask(what) for what in ("status", "rtp-stats") for s in sessions.values()))
    statuses = dict(zip(NAMES, asked, strict=False))
    statistics = dict(zip(NAMES, asked[len(NAMES) :], strict=True))
    await story.show(alice, "rtp-stats")

    story.tell()
    for session in sessions.values():
        story.tell(f"  $ blink --profile {session.profile} leave")
    await alice.blink("leave")
    # The second to leave may find that it was the last: then its call has ended by itself.
    await together(*(other.blink("leave", expect=None) for other in others))
    await together(*(session.quit() for session in sessions.values()))
    heard = _compare(machine, statuses, statistics, talked_from_s, min(talked_s, talk_s))
    return Outcome(setup_ms, heard)


async def _serve(machine: Machine, name: str, index: int) -> Session:
    said = write_mono(machine.directory / f"{name}-says.wav", turn(index, len(NAMES), TURN_S))
    heard = machine.directory / f"{name}-hears.wav"
    return await machine.serve(name, "--input", f"file:{said}?loop=1", "--output", f"wav:{heard}")


def _compare(
    machine: Machine, statuses: dict[str, Any], statistics: dict[str, Any], start_s: float, duration_s: float
) -> list[dict[str, Any]]:
    speakers = {
        name: Speaker(Clocks.of(status), read_mono(machine.directory / f"{name}-says.wav"))
        for name, status in statuses.items()
    }
    pairs = []
    for listener, status in statuses.items():
        ear = Listener.of(status, machine.directory / f"{listener}-hears.wav")
        others = {name: speaker for name, speaker in speakers.items() if name != listener}
        for speaker, heard in who_is_heard(ear, others, start_s, duration_s, max_delay_s=MAX_DELAY_S).items():
            lost = [
                peer["inbound"]["packetsLost"]
                for peer in statistics[listener]["peers"]
                if peer["did"] == statuses[speaker]["did"] and peer["inbound"]
            ]
            pairs.append(
                {
                    "listener": listener,
                    "speaker": speaker,
                    "correlation": round(heard.correlation, 3),
                    "delay_ms": round(heard.delay_s * 1000),
                    "packetsLost": lost[0] if lost else None,
                }
            )
    return pairs


def _tell_outcome(story: Story, outcome: Outcome) -> None:
    story.tell(
        "\nWhat each one's speaker played, beside what the others said (correlation of 20 ms envelopes):\n"
    )
    story.tell("    listener  hears     correlation   delay   packets lost")
    for pair in outcome.heard:
        lost = "?" if pair["packetsLost"] is None else pair["packetsLost"]
        heard = pair["correlation"] >= HEARD_CORRELATION
        delay = f"{pair['delay_ms']:4d} ms" if heard else "      -"
        story.tell(
            f"    {pair['listener']:9} {pair['speaker']:9} {pair['correlation']:11.3f} {delay} {lost:14}"
            f"{'' if heard else '   not heard'}"
        )
    story.tell(
        "\nEverybody heard everybody."
        if outcome.ok
        else f"\nSomebody was not heard: a correlation is below {HEARD_CORRELATION}."
    )


async def _run(story: Story, options: argparse.Namespace) -> Outcome:
    async with Machine() as machine:
        try:
            return await call_of_three(story, machine, talk_s=options.seconds, silenced=options.mute)
        finally:
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                for path in machine.directory.glob("*.wav"):
                    shutil.copy(path, options.keep)
                story.tell(f"\nThe WAV files are in {options.keep}.")


def _seconds(text: str) -> float:
    value = float(text)
    if not TURN_S * len(NAMES) <= value <= 600:
        raise argparse.ArgumentTypeError(
            f"between {TURN_S * len(NAMES):g}, so that everybody has a turn, and 600"
        )
    return value


def main() -> int:
    """Run the demo from the command line; the result is the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--json", action="store_true", help="end with one JSON object; the story goes to stderr"
    )
    parser.add_argument(
        "--seconds", type=_seconds, default=DEFAULT_TALK_S, help="how long they talk: 9 to 600 (default 10)"
    )
    parser.add_argument("--mute", choices=NAMES, help="mute one of them, to see that the check notices")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="copy there what was said and heard, to listen to"
    )
    options = parser.parse_args()
    story = Story(json_result=options.json)
    try:
        outcome = asyncio.run(_run(story, options))
    except CommandError as error:
        story.tell(f"\nThe demo could not go on: {error}")
        if options.json:
            print(json.dumps({"schema": 1, "error": {"code": "failed", "message": str(error), "hint": None}}))
        return ExitCode.FAILED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    _tell_outcome(story, outcome)
    if options.json:
        print(
            json.dumps(
                {
                    "schema": 1,
                    "ok": outcome.ok,
                    "participants": len(NAMES),
                    "setup_ms": outcome.setup_ms,
                    "heard": outcome.heard,
                }
            )
        )
    return ExitCode.DONE if outcome.ok else ExitCode.ASSERTION_FAILED


if __name__ == "__main__":
    sys.exit(main())
