"""`impair` between real sessions: what is lost is what the model says, and every place that shows figures says why."""

import csv
import json
import random
from pathlib import Path

import pytest

from blink_cli.core.impairment.chances import line_seed
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.line import Line
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine

pytestmark = pytest.mark.real_time(within_s=30)

BAD_DATAGRAMS = 300
"""Some 6 s: this seed loses 50 of them."""
WORDS = ("loss=15%", "burst=3", "delay=30ms", "seed=7")
BAD = Conditions(loss=0.15, burst_packets=3, delay_ms=30)


def sequences(log: Path, direction: str) -> list[int]:
    with log.open(newline="", encoding="utf-8") as file:
        rows = [
            row for row in csv.DictReader(file) if row["event"] == "packet" and row["direction"] == direction
        ]
    return [int(row["sequence"]) & 0xFFFF for row in rows]


async def test_what_is_lost_on_purpose_is_as_said_and_marked_everywhere(
    machine: Machine, tmp_path: Path
) -> None:
    alice, bob = await together(
        *(machine.serve(name, "--input", "tone:440", "--output", "null") for name in ("alice", "bob"))
    )
    logs = {session: tmp_path / f"{session.profile}.csv" for session in (alice, bob)}
    await together(*(session.ask("rtp-log", "start", str(log)) for session, log in logs.items()))
    await alice.until("peers", lambda found: any(peer["nickname"] == "bob" for peer in found))
    said = await alice.ask("impair", "bob", "out", *WORDS)
    assert [rule["conditions"] for rule in said["impairment"]["rules"]] == [" ".join(WORDS[:-1])]

    async with call_of(alice, bob):
        await alice.ask("record", "start", str(tmp_path / "recording"))
        await alice.until(
            "rtp-stats",
            lambda told: any(one["rtp"]["datagrams"] >= BAD_DATAGRAMS for one in told["impairment"]["lines"]),
        )
        status, figures = await together(alice.ask("status"), alice.ask("rtp-stats"))
        shown = [(await machine.run("alice", command)).stdout for command in ("status", "rtp-stats")]
        await alice.ask("impair", "off")
        off = await alice.ask("impair")
        stopped = await alice.ask("record", "stop")
        await together(*(session.ask("rtp-log", "stop") for session in (alice, bob)))

    (line,) = figures["impairment"]["lines"]
    assert (line["nickname"], line["direction"]) == ("bob", "out")
    impaired = line["rtp"]
    assert status["impairment"]["rules"] == figures["impairment"]["rules"]
    assert all("impaired on purpose with bob" in text for text in shown)
    assert off["impairment"] is None

    sent, received = sequences(logs[alice], "sent"), set(sequences(logs[bob], "received"))
    model = Line(BAD, random.Random(line_seed(7, "alice", "bob", "rtp")).random)
    fates = [bool(model.fate(n * 0.02, 100)) for n in range(impaired["datagrams"])]
    assert impaired["lost"] == fates.count(False) > 10
    assert [number in received for number in sent[: len(fates)]] == fates

    note = f"bob out: {' '.join(WORDS)}"
    analysis = await alice.ask("rtp-analyze", str(logs[alice]))
    assert analysis["impairments"] == [note, "nothing"]
    (mp4,) = [Path(file["path"]) for file in stopped["files"] if file["kind"] == "mp4"]
    sidecar = json.loads(mp4.with_suffix(".json").read_text(encoding="utf-8"))
    assert [entry["text"] for entry in sidecar["impairments"]] == [note, "nothing"]
