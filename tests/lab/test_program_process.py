"""Copies of a loaded process are processes like others: own identity, environment, streams, signals and exit codes."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from blink_cli.lab.network.namespaces import made
from blink_cli.lab.program_process import ForkedProcess, can_fork, fork
from blink_cli.lab.sessions import Machine

pytestmark = [pytest.mark.in_pairs, pytest.mark.timeout(60)]


async def ended(process: ForkedProcess) -> tuple[int, str, str]:
    stdout, stderr = await process.communicate()
    return await process.wait(), stdout.decode(), stderr.decode()


def environment(folder: Path, **added: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "BLINK_DATA_DIR": str(folder / "data"), **added}


async def test_exit_codes_and_both_streams_come_back(tmp_path: Path) -> None:
    code, stdout, stderr = await ended(await fork("whoami", "--json", environment=environment(tmp_path)))
    assert (code, stdout[:11]) == (0, '{"schema":1'), stderr
    code, stdout, stderr = await ended(await fork("no-such-command", environment=environment(tmp_path)))
    assert (code, stdout) == (2, "")
    assert "no-such-command" in stderr


async def test_each_copy_reads_its_own_variables_directory_and_standard_input(tmp_path: Path) -> None:
    here = environment(tmp_path, BLINK_PROFILE="anna")
    there = environment(tmp_path, BLINK_PROFILE="bert")
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(self_of(each)) for each in (here, there)]
    assert [task.result() for task in tasks] == ["anna", "bert"]
    code, stdout, _ = await ended(await fork("--json", environment=here, stdin=b"whoami\nstatus\n"))
    assert code == 0
    assert len(stdout.splitlines()) >= 2


async def self_of(variables: dict[str, str]) -> str:
    code, stdout, stderr = await ended(await fork("whoami", "--json", environment=variables))
    assert code == 0, stderr
    return str(json.loads(stdout)["profile"])


async def test_a_signal_ends_one_copy_and_its_number_is_told(tmp_path: Path) -> None:
    async with Machine() as machine:
        sessions = [
            await machine.serve(name, "--input", "silence", "--output", "null") for name in ("anna", "bert")
        ]
        anna, bert = sessions
        assert os.getpgid(anna.pid) == anna.pid
        anna.signal(signal.SIGKILL)
        assert await anna.ended() == -signal.SIGKILL
        assert (await bert.ask("status"))["pid"] == bert.pid
        assert await bert.terminate() == 0


async def test_a_copy_is_in_its_network_namespace(tmp_path: Path) -> None:
    name = f"blink-fork-{os.getpid()}"
    with made(name):
        async with Machine(namespace=f"/run/netns/{name}", interface=None) as machine:
            session = await machine.serve("anna", "--input", "silence", "--output", "null")
            assert namespace_of(str(session.pid)) != namespace_of("self")


def namespace_of(process: str) -> Path:
    return Path("/proc", process, "ns", "net").readlink()


def test_what_python_or_the_loader_reads_makes_a_new_process() -> None:
    assert can_fork((), {"PULSE_SERVER": "unix:/x"})
    assert not can_fork((), {"LD_PRELOAD": "x"})
    assert not can_fork((), {"PYTHONPATH": "x"})
    assert not can_fork(("prlimit",), {})


ORPHAN = """
import asyncio, os
from blink_cli.lab.program_process import fork
async def main():
    process = await fork("serve", "--json", "--input", "silence", "--output", "null", environment=dict(os.environ), new_session=True)
    await process.stdout.readline()
    print(process.pid, flush=True)
    await asyncio.sleep(100)
asyncio.run(main())
"""


async def test_copies_end_with_who_ordered_them_even_if_it_was_killed(tmp_path: Path) -> None:
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ORPHAN, env=environment(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert killed.stdout is not None
    copy = os.pidfd_open(int(await killed.stdout.readline()))
    has_ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(copy, has_ended.set)
    try:
        killed.kill()
        async with asyncio.timeout(20):
            await has_ended.wait()
    finally:
        asyncio.get_running_loop().remove_reader(copy)
        os.close(copy)
        async with asyncio.timeout(20):
            await killed.stdout.read()  # the server that copies holds the pipe until it has ended too
        await killed.wait()
