"""The process that works on the files of a recording: `python -m blink_cli.app.files.recording_worker`, started by app/files/recording_work.py.

    stdin   one line, the job; then nothing, and its end ends this process
    stdout  lines: how far it is, and in the end the files or an error

FFmpeg reads what a crash, a disk or a stranger left, and no Python looks into it while it does. So memory and processor time are limited here, in
proportion to the file: a healthy one needs a small part of it.
"""

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Final

import msgspec

from blink_cli.app.files.recording_files import export_recording, repair_recording
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
from blink_cli.core.errors import BlinkError
from blink_cli.core.progress import Progress
from blink_cli.core.text.json_text import decode_json, encode_json

MEMORY_BYTES: Final = 96 << 20
MEMORY_TIMES_FILE: Final = 8
"""An index takes some 100 bytes of memory a packet, which takes 20 to 100 in the file."""

GRID_BYTES: Final = 256 << 20
"""For the pictures that FFmpeg's decoders keep, of each participant some 20, and those of the encoder."""

PROCESSOR_S: Final = 10
PROCESSOR_S_PER_MB: Final = 40
"""Decoding takes some 5 s a megabyte of a mostly silent recording, and 1 s of one with voice."""

PROGRESS_STEP: Final = 0.005


_JOB: Final = msgspec.json.Decoder(Job)


def main() -> None:
    """Carry out one job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command, which ends this process
    job: Job = decode_json(sys.stdin.buffer.readline(), _JOB)
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    _limit(Path(job.path), GRID_BYTES if isinstance(job, ExportJob) and "grid" in job.formats else 0)
    told = 0.0

    def progress(done: float) -> None:
        nonlocal told
        if done - told >= PROGRESS_STEP:
            told = done
            _say(Advanced(done))

    try:
        said: Said = Made(_done(job, progress))
    except BlinkError as error:
        said = Failed(error.code, error.message, error.hint)
    except MemoryError:
        said = Exceeded("memory")
    _say(said)


def _done(job: Job, progress: Progress) -> RecordingFiles:
    if isinstance(job, RepairJob):
        return repair_recording(Path(job.path), progress, job.token)
    folder = None if job.folder is None else Path(job.folder)
    return export_recording(Path(job.path), job.formats, folder, progress, job.token)


def _say(said: Said) -> None:
    sys.stdout.buffer.write(encode_json(said) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_stdin() -> None:
    """End when the command that wants this is gone."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _limit(path: Path, more_bytes: int) -> None:
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - POSIX only

    size_bytes = 0
    with contextlib.suppress(OSError):
        size_bytes = path.stat().st_size
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + PROCESSOR_S + PROCESSOR_S_PER_MB * (size_bytes >> 20)
    _lower(resource.RLIMIT_CPU, seconds)
    _lower(resource.RLIMIT_CORE, 0)
    with contextlib.suppress(OSError):  # Linux alone has it
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        address_space = pages * resource.getpagesize()
        _lower(resource.RLIMIT_AS, address_space + MEMORY_BYTES + more_bytes + MEMORY_TIMES_FILE * size_bytes)


def _lower(what: int, limit: int) -> None:
    import resource  # noqa: PLC0415 - POSIX only

    _, hard = resource.getrlimit(what)
    if hard == resource.RLIM_INFINITY or limit < hard:
        with contextlib.suppress(ValueError, OSError):  # a system that has no such limit
            resource.setrlimit(what, (limit, hard))


if __name__ == "__main__":
    main()
