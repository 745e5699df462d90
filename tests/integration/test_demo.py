"""The demo is the product: it works, and it notices when somebody is not heard."""

import json
import sys
from pathlib import Path

import pytest

from tests.support.sessions import run_program

DEMO = Path(__file__).resolve().parent.parent.parent / "scripts" / "demo_call.py"


@pytest.mark.timeout(120)
async def test_everybody_hears_everybody() -> None:
    finished = await run_program(sys.executable, str(DEMO), "--json", timeout_s=100)
    assert finished.exit_code == 0, finished.report()
    result = json.loads(finished.stdout.splitlines()[-1])
    assert result["schema"] == 1
    assert result["ok"] is True
    assert result["participants"] == 3
    assert 0 < result["setup_ms"] < 5000
    pairs = {(pair["listener"], pair["speaker"]) for pair in result["heard"]}
    assert len(pairs) == 6
    assert all(pair["correlation"] >= 0.9 and pair["packetsLost"] == 0 for pair in result["heard"])


@pytest.mark.timeout(120)
async def test_one_who_is_not_heard_is_noticed() -> None:
    finished = await run_program(sys.executable, str(DEMO), "--json", "--mute", "bob", timeout_s=100)
    assert finished.exit_code == 6, finished.report()
    result = json.loads(finished.stdout.splitlines()[-1])
    assert result["ok"] is False
    for pair in result["heard"]:
        assert (pair["correlation"] < 0.5) == (pair["speaker"] == "bob"), pair
