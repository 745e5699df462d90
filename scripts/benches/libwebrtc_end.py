"""Starts one end of a call through libwebrtc (`voice_libwebrtc_peer`) on a host, and asks it what it is told."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).resolve().parents[2]
_ANSWER_S: Final = 60.0


class LibwebrtcEnd:
    """The process, from outside."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, **order: Any) -> dict[str, Any]:
        """Give an order and await its answer."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(order).encode() + b"\n")
        async with asyncio.timeout(_ANSWER_S):
            line = await stdout.readline()
        if not line:
            raise RuntimeError("an end of libwebrtc has ended; what it said is above")
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def libwebrtc_end(prefix: Sequence[str], speech: Path, heard: Path) -> AsyncIterator[LibwebrtcEnd]:
    """An end while the block runs.

    Args:
        prefix: What comes before the command, such as a host's `nsenter`.
        speech: What it says.
        heard: Where it writes what it hears (WAV).

    """
    process = await asyncio.create_subprocess_exec(
        *prefix,
        *(sys.executable, "-m", "benches.voice_libwebrtc_peer", str(speech), str(heard)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{_ROOT / 'scripts'}:{_ROOT}"},
        start_new_session=True,
    )
    try:
        yield LibwebrtcEnd(process)
    finally:
        if process.returncode is None:
            process.kill()  # its threads are of no more use, and some wait for each other when they are closed
        await process.wait()
