"""A scenario whose second participant runs on another machine: reached by a real ssh, its files copied, its clock compared."""

import asyncio
import os
import shlex
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from blink_cli.core.errors import BlinkError
from blink_cli.lab.program_run import CommandError
from blink_cli.lab.real.engine import run_real
from blink_cli.lab.real.participant import Participant
from blink_cli.lab.real.remote_machine import remote_machine
from blink_cli.lab.real.ssh import SshError
from blink_cli.lab.scenario.device_phases import DevicePhases
from blink_cli.lab.sessions import Machine, Session
from blink_cli.lab.verdict.judging import judged
from tests.lab.scenario.reading import one_case
from tests.support.ssh_server import HOST, ssh_server

pytestmark = [pytest.mark.real_time(within_s=30), pytest.mark.in_pairs]

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


async def test_a_program_that_hangs_there_ends_with_us_and_leaves_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waited for the pipes of a killed `ssh` waited for ever: the connection's process has them too."""
    monkeypatch.setattr("blink_cli.lab.real.ssh.COMMAND_S", 3.0)
    (program := tmp_path / "program").write_text(
        f'#!/bin/sh\n[ "$7" != serve ] || {{ echo $$ > {tmp_path}/pid; echo hello; exec sleep 100; }}\n'
    )
    program.chmod(0o755)
    with ssh_server(tmp_path) as environment:
        monkeypatch.setenv("PATH", environment["PATH"])
        async with (
            asyncio.timeout(30),
            remote_machine(HOST, (str(program), "--"), "239.255.1.1:7000") as machine,
        ):
            with pytest.raises(SshError, match=r"took longer than 3 s"):
                await machine.ssh.run("sleep", "100")
            with pytest.raises(CommandError, match="did not say ready first"):
                await machine.serve("bob")
            there = int((tmp_path / "pid").read_text(encoding="ascii"))
            await machine.aclose()
    with pytest.raises(ProcessLookupError):
        os.kill(there, 0)


async def test_a_session_that_has_ended_by_itself_is_told_so() -> None:
    session = Session(Machine(), "bob")
    session.process = await asyncio.create_subprocess_exec("false")
    await session.process.wait()
    with pytest.raises(CommandError, match=r"the session bob has ended by itself \(exit code 1\)"):
        await session.send_signal(signal.SIGCONT)


async def test_who_was_started_and_never_answered_is_ended_all_the_same(tmp_path: Path) -> None:
    session = Session(Machine(), "alice")
    session.process = await asyncio.create_subprocess_exec("sleep", "100")
    person = one_case(SCENARIO).people[0]
    participant = Participant(
        person,
        session.machine,
        np.zeros(0, np.float32),
        DevicePhases(0.0, 0.0),
        tmp_path,
        counts_packets=False,
    )
    participant._session = session  # its control socket was never reached
    await participant.end()
    assert session.process.returncode == -signal.SIGTERM
