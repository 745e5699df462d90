"""`blink load`: what is refused before anything is tried, and what a report looks like."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from blink_cli.commands.load_runs import sounds_named
from blink_cli.commands.load_text import load_lines, progress_text
from blink_cli.core.errors import NotFoundError, UsageError
from blink_cli.core.ids import CallId, Did
from blink_cli.lab.load.load_report import (
    LoadDelays,
    LoadLink,
    LoadParticipant,
    LoadProcess,
    LoadReceived,
    LoadReport,
    LoadSent,
    LoadTotal,
    Percentiles,
)
from blink_cli.lab.load.load_run import LoadPlan, LoadProgress, refuse_impossible
from blink_cli.lab.scenario.case import SILENCE, Sound

pytestmark = pytest.mark.no_clock(sockets=True)

SPREAD = Percentiles(count=4, min=19, p50=20, p95=21.5, p99=22, max=30)
RECEIVED = LoadReceived(
    packets=990, packets_expected=1000, packets_lost=10, loss=0.01, packets_duplicated=2, packets_reordered=3,
    payload_bytes=80_000, jitter_ms=1.25, mean_jitter_ms=1.0, max_jitter_ms=4.0, interval_ms=SPREAD,
)  # fmt: skip
SENT = LoadSent(
    packets=1002, payload_bytes=80_500, packets_discarded=0, reported_lost=None, reported_loss=None, reported_jitter_ms=None,
)  # fmt: skip
DELAYS = LoadDelays(
    round_trip_ms=SPREAD, received_ms=None, sent_ms=None, why="the peer's clock is not synchronised"
)
LINK = LoadLink(
    peer=Did("did:key:z6Mkbob"), nickname="bob", connected=False, setup_ms=20.5, received=RECEIVED, sent=SENT,
    delays=DELAYS, streams_received=(), streams_sent=(),
)  # fmt: skip
REPORT = LoadReport(
    call=CallId("00" * 16),
    ended="peers_left",
    seconds=19.96,
    participants=(
        LoadParticipant(did=Did("did:key:z6Mka"), nickname="load-1", links=(LINK,)),
        LoadParticipant(did=Did("did:key:z6Mkb"), nickname="load-2", links=()),
    ),
    total=LoadTotal(
        links_wanted=2, links_connected=0, setup_ms=SPREAD, received=RECEIVED, sent=SENT, delays=DELAYS
    ),
    process=LoadProcess(cpu=0.0123, send_late_ms=None),
)


def _plan(participants: int, peers: Sequence[str] = ("bob",)) -> LoadPlan:
    return LoadPlan(participants, tuple(peers), 1.0, (SILENCE,), 1.0, burst=False)


@pytest.mark.parametrize(("participants", "peers"), [(0, 1), (32, 1), (31, 2), (1, 32)])
def test_what_no_call_can_hold_is_refused_with_the_limit(participants: int, peers: int) -> None:
    with pytest.raises(UsageError) as refused:
        refuse_impossible(_plan(participants, [f"peer{number}" for number in range(peers)]))
    assert f"Choose 1 to {max(32 - peers, 0)}" in str(refused.value.hint)
    assert "hold 32" in str(refused.value.hint)


def test_as_many_as_a_call_can_hold_are_not() -> None:
    refuse_impossible(_plan(31))
    refuse_impossible(_plan(1))


def test_sounds_are_named_as_in_scenarios(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    assert sounds_named(["low", "tone:440", "silence", "a.wav", "file:a.wav"], tmp_path) == (
        Sound("voice", 1),
        Sound("tone", frequency_hz=440.0),
        SILENCE,
        Sound("file", path=tmp_path / "a.wav"),
        Sound("file", path=tmp_path / "a.wav"),
    )
    with pytest.raises(UsageError, match="tone:high"):
        sounds_named(["tone:high"], tmp_path)
    with pytest.raises(NotFoundError, match=r"none\.wav"):
        sounds_named(["none.wav"], tmp_path)


def test_a_report_says_everything_and_invents_nothing() -> None:
    text = "\n".join(load_lines(REPORT))
    assert "2 participants spoke for 20.0 s: every peer had left; 0 of 2 connections stood" in text
    assert "lost 10 (1.00 %), twice 2, out of order 3, jitter up to 4.0 ms" in text
    assert "reports lost - (-), jitter up to -" in text
    assert "interval  median 20.0 ms, 95 % 21.5, 99 % 22.0, most 30.0" in text
    assert "one way   not known: the peer's clock is not synchronised" in text
    assert "load-1   to bob: sent 1002, reported lost -; received 990, lost 10" in text
    assert "not connected at the end" in text
    assert "load-2   had no connection" in text
    assert msgspec.json.decode(msgspec.json.encode(REPORT), type=LoadReport) == REPORT


def test_progress_is_one_short_line() -> None:
    joining = LoadProgress(None, 3, 6, 0, 0, 0, None)
    assert progress_text(joining) == "3 of 6 connected"
    speaking = LoadProgress(4.2, 6, 6, 1200, 1190, 3, 1.26)
    assert progress_text(speaking) == "4 s: 6 of 6 connected, sent 1200, received 1190, lost 3, delay 1.3 ms"


def test_mistakes_end_with_the_code_of_usage(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "blink_cli", "--data-dir", str(tmp_path), "load", "bob", "--participants", "40", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 2, ran.stderr
    assert json.loads(ran.stdout)["error"]["code"] == "usage"
