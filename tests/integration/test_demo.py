"""The demo is the product: it works, and it notices when somebody is not heard."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from blink_cli.lab.program_run import Finished, run_program
from blink_cli.lab.session_calls import together

pytestmark = [pytest.mark.real_time(within_s=60), pytest.mark.in_pairs]

ROOT = Path(__file__).resolve().parent.parent.parent
DEMO = ROOT / "scripts" / "demo_call.py"


async def demo(*options: str) -> tuple[Finished, Any]:
    """How it ended, and its document."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    finished = await run_program(
        sys.executable, str(DEMO), "--json", *options, timeout_s=100, environment=environment
    )
    assert finished.stdout, finished.report()
    return finished, json.loads(finished.stdout.splitlines()[-1])


@pytest.mark.timeout(120)
async def test_everybody_hears_everybody_and_one_who_is_not_heard_is_noticed() -> None:
    (whole, result), (muted, without_bob) = await together(demo(), demo("--mute", "bob"))
    assert whole.exit_code == 0, whole.report()
    assert result["schema"] == 1
    assert result["ok"] is True
    assert result["participants"] == 3
    assert 0 < result["setup_ms"] < 5000
    pairs = {(pair["listener"], pair["speaker"]) for pair in result["heard"]}
    assert len(pairs) == 6
    assert all(pair["correlation"] >= 0.9 and pair["packetsLost"] == 0 for pair in result["heard"])

    assert muted.exit_code == 6, muted.report()
    assert without_bob["ok"] is False
    for pair in without_bob["heard"]:
        assert (pair["correlation"] < 0.5) == (pair["speaker"] == "bob"), pair
