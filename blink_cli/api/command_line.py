"""Any command, from Python: for what has no method, such as `codec`, `lab`, `contacts`, `doctor` and `record repair`."""

import asyncio
import contextlib
import json
import os
import sys
from os import PathLike
from typing import Any, Final

from blink_cli.core.api.control_protocol import Refusal, error_of
from blink_cli.core.errors import BlinkError
from blink_cli.core.exit_codes import ExitCode

_FINDINGS: Final = (ExitCode.DONE, ExitCode.ASSERTION_FAILED)
"""The command ran, and its document says what it found."""


async def run_command(
    *words: str, profile: str | None = None, data_dir: str | PathLike[str] | None = None
) -> list[Any]:
    """Run `blink --json WORDS…` as a process of its own, and return the documents that it printed, as `json.loads` gives them.

    Cancelling ends the process as Ctrl-C does, and waits for that.

    Args:
        words: As one types them: `run_command("codec", "roundtrip", "in.wav", "out.wav", "--loss", "0.1")`.
        profile: Whose; None: as the commands choose.
        data_dir: The folder of all profiles; None: likewise.

    Raises:
        BlinkError: What the command said, as the class of its code. An assertion that failed (exit code 6) is no error here: the document tells.

    """
    options: list[str] = []
    if profile is not None:
        options += ["--profile", profile]
    if data_dir is not None:
        options += ["--data-dir", os.fspath(data_dir)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "blink_cli", "--json", *options, *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        stdout, stderr = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        raise
    documents = _documents(stdout.decode())
    if process.returncode not in _FINDINGS:
        raise _error(documents, process.returncode or 0, stderr.decode(errors="replace"))
    return documents


def _documents(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _error(documents: list[Any], exit_code: int, messages: str) -> BlinkError:
    for document in documents:
        if isinstance(document, dict) and "error" in document:
            told = document["error"]
            return error_of(
                Refusal(
                    id=None,
                    code=told["code"],
                    message=told["message"],
                    hint=told.get("hint"),
                    exit_code=exit_code,
                )
            )
    return BlinkError(f"The command ended with {exit_code}: {messages.strip() or 'it said nothing'}")
