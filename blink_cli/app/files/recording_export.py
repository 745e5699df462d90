"""Has WAV files and mixdowns made, and loudness measured, by a process of its own, at low priority, so that no call notices.

The process is this program's own `record export`, or `record loudness`, which prints what it has written and measured.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from blink_cli.core.api.replies.loudness import RecordedLoudness
from blink_cli.core.api.replies.recordings import RecordedFile
from blink_cli.core.errors import BlinkError
from blink_cli.core.text.json_text import decode_json


class Exported(msgspec.Struct):
    """What the process printed."""

    files: tuple[RecordedFile, ...] = ()
    loudness: tuple[RecordedLoudness, ...] = ()
    error: dict[str, Any] | None = None


_EXPORTED: Final = msgspec.json.Decoder(Exported)


async def export_apart(path: Path, formats: Sequence[str]) -> Exported:
    """Export a recording; without formats, measure it alone.

    Cancelling ends the process; half-written files are removed by it, or have names that begin with a dot.

    Raises:
        BlinkError: It did not succeed.

    """
    package_folder = str(Path(__file__).parents[3])
    search = os.pathsep.join(filter(None, (package_folder, os.environ.get("PYTHONPATH"))))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "blink_cli", "--json", "record"),
        *(("export", "--format", ",".join(formats)) if formats else ("loudness",)),
        str(path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C at the terminal is for the session, which waits for this
        env={**os.environ, "PYTHONPATH": search},
    )
    try:
        stdout, _ = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):  # it has ended this instant
            process.terminate()
        await process.communicate()  # as in `api/command_line.py`: it may still say more than its pipe holds
        raise
    try:
        document = decode_json(stdout, _EXPORTED)
    except msgspec.DecodeError as failure:
        raise BlinkError(f"the export ended with code {process.returncode}") from failure
    if document.error is not None:
        raise BlinkError(str(document.error.get("message", "the export failed")))
    return document
