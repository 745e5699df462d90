"""A scenario whose second participant runs on another machine: reached by a real ssh, its files copied, its clock compared."""

import asyncio
import shlex
import sys
from pathlib import Path

import pytest

from blink_cli.core.errors import BlinkError
from blink_cli.lab.real.engine import run_real
from blink_cli.lab.real.remote_machine import remote_machine
from blink_cli.lab.verdict.judging import judged
from tests.lab.scenario.reading import one_case
from tests.support.ssh_server import HOST, ssh_server

pytestmark = pytest.mark.real_time(within_s=30)

SCENARIO = f"""
duration = 4
seed = 3
expect = ["heard", "delay(alice->bob) > 50ms", "delay(alice->bob) < 300ms", "delay(bob->alice) < 300ms", "loss(alice->bob) > 5%", "loss(bob->alice) < 1%"]

[[participant]]
name = "alice"

[[participant]]
name = "bob"
host = "{HOST}"
program = "{shlex.quote(sys.executable)} -m blink_cli"

[[network]]
from = "alice"
line = "loss=20% burst=2 delay=20ms"
"""


def test_a_participant_on_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ssh_server(tmp_path) as environment:
        monkeypatch.setenv("PATH", environment["PATH"])
        case = one_case(SCENARIO)
        result = judged(case, run_real(case), folder=None)
        with pytest.raises(BlinkError, match="does not run /no/such/blink") as failed:
            asyncio.run(_reach(HOST, "/no/such/blink"))
        assert "program =" in str(failed.value.hint)
        with pytest.raises(BlinkError, match=r"nowhere\.invalid cannot be reached by ssh"):
            asyncio.run(_reach("nowhere.invalid", "blink"))
    assert [one.measured for one in result.expectations if one.outcome != "passed"] == []
    assert any("clock of bob's machine is known to" in note for note in result.notes)
    assert any("several machines" in note for note in result.notes)


async def _reach(host: str, program: str) -> None:
    async with remote_machine(host, (program,), "239.255.1.1:7000"):
        pass
