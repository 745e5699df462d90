"""Has recordings repaired and exported by a process of their own (app/files/recording_worker.py), which can be ended at any moment, whatever FFmpeg is at.

command ──job──> worker ──how far, files or error──> command
──canceled: killed, and what is not whole removed

"""

import contextlib
import os
import secrets
import signal
import sys
from asyncio import CancelledError, create_subprocess_exec, subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from blink_cli.app.files.recording_jobs import (
    Advanced,
    Exceeded,
    ExportJob,
    Failed,
    Job,
    Made,
    RepairJob,
    Said,
)
from blink_cli.core.api.replies.recordings import RecordingFiles
from blink_cli.core.errors import BlinkError, NotFoundError, StateError, UsageError
from blink_cli.core.progress import Progress
from blink_cli.core.text.json_text import decode_json, encode_json

WORKER: Final = ("-m", "blink_cli.app.files.recording_worker")
_SAID: Final = msgspec.json.Decoder(Said)
_LONGEST_LINE: Final = 16 << 20
_ERRORS: Final = {error.code: error for error in (BlinkError, NotFoundError, StateError, UsageError)}
_NOT_CHANGED: Final = "Nothing was changed: what could be read of it is still there."


async def repair_apart(path: Path, progress: Progress) -> RecordingFiles:
    """Finish an unfinished recording. Canceling it ends the work at once.

    Raises:
        BlinkError: It is not there, not unfinished, too damaged, or cannot be written.

    """
    token = secrets.token_hex(8)
    return await _work(RepairJob(str(path), token), path.parent, progress)


async def export_apart(
    path: Path, formats: Sequence[str], folder: Path | None, progress: Progress
) -> RecordingFiles:
    """Make files of one participant each and a mixdown. Canceling it ends the work at once.

    Raises:
        UsageError: A format is none.
        BlinkError: The recording cannot be read, is too damaged, or a file cannot be written.

    """
    token = secrets.token_hex(8)
    job = ExportJob(str(path), token, tuple(formats), None if folder is None else str(folder))
    return await _work(job, path.parent if folder is None else folder, progress)


async def _work(job: Job, folder: Path, progress: Progress) -> RecordingFiles:
    package_folder = str(Path(__file__).parents[3])
    search = os.pathsep.join(filter(None, (package_folder, os.environ.get("PYTHONPATH"))))
    process = await create_subprocess_exec(
        *(sys.executable, *WORKER),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        limit=_LONGEST_LINE,
        env={**os.environ, "PYTHONPATH": search},
    )
    said: Said | None = None
    try:
        said = await _last_word(process, job, progress)
        await process.wait()
    except CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    finally:
        if not isinstance(said, Made):
            _remove(folder, job.token)
    if isinstance(said, Made):
        return said.files
    if isinstance(said, Failed):
        raise _ERRORS.get(said.code, BlinkError)(said.message, hint=said.hint)
    raise BlinkError(
        f"{job.path} is damaged so that it cannot be read: {_ended_by(said, process.returncode or 0)}.",
        hint=_NOT_CHANGED,
    )


async def _last_word(process: subprocess.Process, job: Job, progress: Progress) -> Said | None:
    assert process.stdin is not None, "it is a pipe"
    assert process.stdout is not None, "it is a pipe"
    process.stdin.write(encode_json(job) + b"\n")
    said: Said | None = None
    async for line in process.stdout:
        with contextlib.suppress(msgspec.DecodeError):  # the last line of one that was killed
            said = decode_json(line, _SAID)
        if isinstance(said, Advanced):
            progress(said.done)
    return said


def _ended_by(said: Said | None, code: int) -> str:
    """What ended a process that could not say it, or said only that it met a limit."""
    if isinstance(said, Exceeded):
        return "it would take all memory"
    if sys.platform != "win32" and code == -signal.SIGXCPU:
        return "it would take for ever"
    if code < 0:
        return f"the process that read it was ended by signal {-code}"
    return f"the process that read it ended with code {code}"


def _remove(folder: Path, token: str) -> None:
    """Remove what is not whole."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f".blink-{token}*"):
            path.unlink()
