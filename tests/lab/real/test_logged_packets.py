"""Which packets came is read off two logs: one sent and lost, one that came twice, one of another stream with the same number."""

from pathlib import Path

import pytest

from blink_cli.core.ids import Did
from blink_cli.lab.real.logged_packets import SessionLog, passed_between
from blink_cli.lab.real.session_clock import ComparedClock, SameClock

pytestmark = pytest.mark.no_clock

ALICE, BOB = Did("did:key:z6MkAlice"), Did("did:key:z6MkBob")
HEADER = "event,time_s,peer,direction,ssrc,sequence,timestamp,payload_bytes"


def log(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def test_logs_are_joined(tmp_path: Path) -> None:
    sent = log(
        tmp_path / "alice.csv",
        f"packet,10.00,{BOB},sent,7,65535,0,80",
        f"packet,10.02,{BOB},sent,7,65536,960,81",
        f"packet,10.04,{BOB},sent,7,65537,1920,82",
        "packet,10.06,did:key:z6MkEve,sent,7,65538,2880,82",
    )
    received = log(
        tmp_path / "bob.csv",
        f"packet,510.03,{ALICE},received,7,65535,0,80",
        f"packet,510.05,{ALICE},received,9,0,960,81",
        f"packet,510.07,{ALICE},received,7,1,1920,82",
        f"packet,510.08,{ALICE},received,7,1,1920,82",
        f"packet,511.00,{ALICE},sent,3,5,0,70",
    )
    elsewhere = ComparedClock()
    elsewhere.learn(10.0, 510.0, 10.0)
    passed = passed_between(
        {"alice": SessionLog(ALICE, [sent], SameClock()), "bob": SessionLog(BOB, [received], elsewhere)}
    )
    assert [(p.at_s, p.payload_bytes, p.copies) for p in passed["alice", "bob"]] == [
        (10.0, 80, 1),
        (10.02, 81, 0),
        (10.04, 82, 2),
    ]
    assert [(p.at_s, p.copies) for p in passed["bob", "alice"]] == [(11.0, 0)]
    assert set(passed) == {("alice", "bob"), ("bob", "alice")}
