"""The real `nats-server` of a broker's folder, as a process of ours."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from blink_cli.broker.broker_folder import CONFIGURATION, BrokerFolder
from blink_cli.core.errors import NotInstalledError

PROGRAM = "nats-server"
_PATIENCE_S = 5.0


def find_program() -> str:
    """Return the path of `nats-server`: the one that was installed with this program, or the system's.

    Raises:
        NotInstalledError: There is none.

    """
    beside = Path(sys.executable).with_name(PROGRAM)
    found = str(beside) if beside.exists() else shutil.which(PROGRAM)
    if found is None:
        raise NotInstalledError(
            f"{PROGRAM} is not installed.",
            hint="Install it with `pip install 'blink-cli[broker]'`, or from your system's packages (`nats-server`).",
        )
    return found


@asynccontextmanager
async def running_server(folder: BrokerFolder) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run it for as long as the context lasts; it may end before that.

    Raises:
        NotInstalledError: It is not installed.

    """
    process = await asyncio.create_subprocess_exec(
        find_program(),
        "-c",
        CONFIGURATION,
        cwd=folder.path,
        stdin=asyncio.subprocess.DEVNULL,
        # Ctrl-C is for this program, which ends it.
        start_new_session=True,
    )
    try:
        yield process
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
