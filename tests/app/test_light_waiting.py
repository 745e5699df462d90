"""A session that waits holds none of what makes sound, and who asks it no event loop; see docs/performance.md, "Start and size"."""

import subprocess
import sys
from pathlib import Path

import pytest

WAITING = """
import asyncio, sys
import blink_cli as blink

async def main():
    async with blink.open_session(data_dir=sys.argv[1], input="silence", output="null", interfaces=["127.0.0.1"], discovery=False) as session:
        await session.status()
        await session.peers()
        print(*sorted({"aiortc", "av", "numpy", "OpenSSL", "sounddevice", "soundfile", "soxr"} & set(sys.modules)))

asyncio.run(main())
"""


@pytest.mark.no_clock(sockets=True)
def test_a_session_that_waits_has_loaded_nothing_that_makes_sound(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WAITING, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.stderr) == ("\n", "")


ASKING = """
import sys
from blink_cli.__main__ import main
try:
    main()
finally:
    print(*sorted({"asyncio", "ssl", "secrets", "cryptography"} & set(sys.modules)))
"""


@pytest.mark.no_clock(sockets=True)
@pytest.mark.parametrize("command", ["status", "leave", "peers", "mute"])
def test_a_command_that_only_asks_loads_no_event_loop(tmp_path: Path, command: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ASKING, "--data-dir", str(tmp_path), command],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "No session of profile 'default' is running." in ran.stderr
    assert ran.stdout == "\n"
