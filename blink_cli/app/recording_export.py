"""Has WAV files and mixdowns made by a process of its own, at low priority, so that no call notices.

The process is this program's own `record export`, which prints what it has written.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

import blink_cli
from blink_cli.core.errors import BlinkError
from blink_cli.core.replies import RecordedFile


class _Exported(msgspec.Struct):
    files: tuple[RecordedFile, ...] = ()
    error: dict[str, Any] | None = None


async def export_apart(path: Path, formats: Sequence[str]) -> tuple[RecordedFile, ...]:
    """Export a recording.

    Cancelling ends the process; half-written files are removed by it, or have names that begin with a dot.

    Raises:
        BlinkError: It did not succeed.

    """
    package_folder = str(Path(blink_cli.__file__).parent.parent)
    search = os.pathsep.join(filter(None, (package_folder, os.environ.get("PYTHONPATH"))))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "blink_cli", "--json", "record", "export", str(path)),
        *("--format", ",".join(formats)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": search},
    )
    try:
        stdout, _ = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    try:
        document = msgspec.json.decode(stdout, type=_Exported)
    except msgspec.DecodeError as failure:
        raise BlinkError(f"the export ended with code {process.returncode}") from failure
    if document.error is not None:
        raise BlinkError(str(document.error.get("message", "the export failed")))
    return document.files
