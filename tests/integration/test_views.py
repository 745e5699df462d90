"""What six people see of their call on real terminals: every figure is the one of `--json`, every row has its name, at any size."""

import asyncio
import re
import shlex
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from blink_cli.lab.sessions import Machine
from tests.support.terminals import Terminal

PEOPLE = {
    # profile: nickname
    "alice": "alice",
    "anna": "anna 🇩🇪",
    "max": "Maximiliane von und zu der langen Straße",
    "kanji": "漢字 👍🏽",
    "dora": "dora ❤️",
    "emil": "emil",
}
BEGINNINGS = ("anna", "Maxi", "漢字", "dora", "emil")
SIZES = ((40, 15), (80, 24), (200, 60))
COUNTERS = {
    # heading: direction and name in `rtp-stats --json`
    "recv": ("inbound", "packetsReceived"),
    "lost": ("inbound", "packetsLost"),
    "late": ("inbound", "packetsDiscarded"),
    "fixed": ("inbound", "packetsRecovered"),
    "sent": ("outbound", "packetsSent"),
}
FIGURE = re.compile(r"-?\d[\d.]*(?: ms|%)?|-")


@dataclass(frozen=True, slots=True)
class Call:
    """Six in a call; alice sits at a prompt in a shell of a terminal."""

    machine: Machine
    prompt: Terminal

    async def statistics(self) -> dict[str, Any]:
        """Alice's figures, by nickname."""
        document = (await self.machine.run("alice", "--json", "rtp-stats")).json
        return {peer["nickname"]: peer for peer in document["peers"]}

    def terminal(self, columns: int, rows: int, *command: str) -> Terminal:
        """A command of alice's profile in another terminal."""
        return Terminal(
            self.machine.command("alice", *command),
            columns=columns,
            rows=rows,
            environment=self.machine.environment,
        )


@pytest.fixture
async def call() -> AsyncIterator[Call]:
    """The call stands."""
    async with Machine() as machine:
        devices = ("--input", "tone:300", "--output", "null")
        others = [name for name in PEOPLE if name != "alice"]
        sessions = await asyncio.gather(
            *(
                machine.serve(name, "--auto-accept=anyone", "--nickname", PEOPLE[name], *devices)
                for name in others
            )
        )
        interface = ("--interface", machine.interface) if machine.interface else ()
        command = machine.command(
            "alice", "repl", "--nickname", "alice", "--group", machine.group, *interface, *devices
        )
        with Terminal(
            ["bash", "--norc", "-i"],
            columns=80,
            rows=24,
            environment={**machine.environment, "PS1": "shell> "},
        ) as terminal:
            await asyncio.to_thread(terminal.run_line, shlex.join(command))
            await asyncio.to_thread(terminal.until, "blink>")
            for session in sessions:
                await session.until("peers", lambda peers: any(p["nickname"] == "alice" for p in peers))
            await asyncio.to_thread(
                terminal.run_line, f"offer {' '.join(session.did for session in sessions)} --wait 20"
            )
            await asyncio.to_thread(terminal.until, "6 of 6 present")
            yield Call(machine, terminal)


def tables_of(lines: list[str]) -> list[dict[str, dict[str, str]]]:
    """The tables of figures on a screen, each as heading -> beginning of a name -> figure."""
    tables: list[dict[str, dict[str, str]]] = []
    headings: list[str] = []
    for text in lines:
        if text.startswith("peer "):
            headings = re.split(
                r"  +", re.sub(r"\b(far|way) (lost|in|out)\b", r"\1_\2", text).replace(" ", "  ")
            )[1:]
            headings = [heading for heading in headings if heading]
            tables.append({heading: {} for heading in headings})
            continue
        beginning = next((name for name in BEGINNINGS if text.startswith(name)), None)
        if beginning is None or not headings:
            headings = []
            continue
        figures = FIGURE.findall(re.split(r"(?<=[^\d]) {2,}| {3,}", text, maxsplit=1)[1])
        assert len(figures) == len(headings), text
        for heading, figure in zip(headings, figures, strict=True):
            tables[-1][heading][beginning] = figure
    return tables


def check(lines: list[str], before: dict[str, Any], after: dict[str, Any], columns: int) -> set[str]:
    """Hold a screen against what `--json` said just before and just after; return the headings that were seen."""
    seen: set[str] = set()
    for table in tables_of(lines):
        for heading, rows in table.items():
            assert set(rows) == set(BEGINNINGS), f"a row is missing at {columns} columns"
            seen.add(heading)
            if heading not in COUNTERS:
                continue
            direction, name = COUNTERS[heading]
            for nickname in before:
                beginning = next(b for b in BEGINNINGS if nickname.startswith(b))
                low, high = before[nickname][direction][name], after[nickname][direction][name]
                assert low <= int(rows[beginning]) <= high, f"{heading} of {nickname}"
    return seen


def check_people(lines: list[str], before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Hold the lines of the people against `--json`, and return the figures that were seen."""
    seen: set[str] = set()
    for text in lines:
        nickname = next(
            (n for n in before for b in BEGINNINGS if n.startswith(b) and text.lstrip("> *").startswith(b)),
            None,
        )
        if nickname is None:
            continue
        for word, value in re.findall(r"(lost|recovered|fixed|late) +(\d+)", text):
            heading = "fixed" if word == "recovered" else word
            direction, name = COUNTERS[heading]
            seen.add(heading)
            low, high = before[nickname][direction][name], after[nickname][direction][name]
            assert low <= int(value) <= high, f"{word} of {nickname}"
    return seen


async def keys_do_what_commands_do(call: Call, terminal: Terminal) -> None:
    """Mute, volume, mark and mesh by keys of `watch`, held against what commands say."""
    terminal.press("m")
    await asyncio.to_thread(terminal.until, "muted: you talk")
    assert (await call.machine.run("alice", "--json", "status")).json["muted"]
    terminal.press("Down", "+", "+")
    await asyncio.to_thread(terminal.until, "+2 dB")
    people = (await call.machine.run("alice", "--json", "participants")).json["participants"]
    assert [one["gain_db"] for one in people] == [0.0, 0.0, 2.0, 0.0, 0.0, 0.0]
    terminal.press("n")
    terminal.enter("quiet")
    terminal.press("Enter", "m")
    await asyncio.to_thread(terminal.until, "marked: quiet")
    terminal.press("Tab")
    lines = await asyncio.to_thread(terminal.until, "who hears")
    mesh = (await call.machine.run("alice", "--json", "mesh")).json
    first = next(number for number, text in enumerate(lines) if text.startswith("who hears"))
    for number, (row, text) in enumerate(zip(mesh["participants"], lines[first + 1 :], strict=False), 1):
        assert text.startswith(f"{number} ")
        assert [link["link"] for link in row["hears"]] == ["connected"] * len(re.findall(r"  ok|\d+%", text))


async def test_six_people_on_terminals_of_any_size(call: Call) -> None:
    for columns, rows in SIZES:
        # What is printed: every figure, at any width.
        before = await call.statistics()
        with call.terminal(columns, 60, "rtp-stats") as terminal:
            lines = await asyncio.to_thread(terminal.until, "ended with 0")
        seen = check(lines, before, await call.statistics(), columns)
        assert seen >= {*COUNTERS, "rtt", "conceal", "jitter", "delay", "mos", "far_lost", "red"}

        # What has the whole terminal: who is there, and the figures that matter most, in one order.
        before = await call.statistics()
        with call.terminal(columns, rows, "watch") as terminal:
            await asyncio.to_thread(terminal.until, lambda text: text.count("emil") >= 2)
            terminal.press("Tab")
            lines = await asyncio.to_thread(
                terminal.until, lambda text: "recv" in text and text.count("emil") >= 2
            )
            after = await call.statistics()
            assert "recv" in check(lines, before, after, columns)
            assert check_people(lines, before, after) >= ({"lost", "fixed"} if columns >= 80 else set())
            assert [text for text in lines if "(you)" in text]
            order = [b for text in lines for b in BEGINNINGS if text.lstrip("> *").startswith(b)]
            assert order == [*BEGINNINGS] * (len(order) // len(BEGINNINGS))
            assert len(lines) == rows
            assert "q quits" in lines[-1]
            if columns == SIZES[-1][0]:
                await keys_do_what_commands_do(call, terminal)
            terminal.press("q")
            await asyncio.to_thread(terminal.until, "ended with 0")

        # The panel above the prompt.
        call.prompt.resize(columns, rows)
        lines = await asyncio.to_thread(call.prompt.until, drawn_for(columns))
        after = await call.statistics()
        panel = lines[-8:]
        assert panel[0].startswith("in call ")
        assert "alice (you)" in panel[1]
        assert check_people(panel, before, after) >= ({"lost", "fixed"} if columns >= 80 else set())
        for beginning, text in zip(BEGINNINGS, panel[2:7], strict=True):
            assert text[2:].startswith(beginning)
            assert "connected" in text or columns == 40
            assert re.search(r"delay +\d+ ms( [ ⠀-⣿]+)?(  way +\d+ ms)?$", text) or columns == 40
        assert panel[7] == "blink>"


def drawn_for(columns: int) -> Callable[[str], bool]:
    """Whether a screen's panel, as it stands above the prompt, is drawn for a width."""

    def holds(text: str) -> bool:
        lines = text.split("\n")
        panel = "\n".join(lines[-8:-1])
        figures, whole_names = "lost" in panel, "langen Straße  " in panel
        return lines[-1] == "blink>" and (figures, whole_names) == (columns > 40, columns > 80)

    return holds
