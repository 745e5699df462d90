"""Any command, from Python, as one types it; `cli.py` has those that need no session, with typed results."""

import asyncio
import contextlib
import json
import os
import sys
from os import PathLike
from typing import Any

from blink_cli.core.api.control_protocol import Refusal, error_of
from blink_cli.core.errors import BlinkError


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
        BlinkError: What the command said, as the class of its code. A document that tells what was found to be wrong is no error here, whatever the
            exit code: assertions that failed (6), a load of which not every connection stood (3).

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
        await process.communicate()  # it may still say more than its pipes hold, and would wait for a reader
        raise
    documents = _documents(stdout.decode())
    code = process.returncode or 0
    found = bool(documents) and not any(map(_is_error, documents))
    if code < 0 or (code > 0 and not found):
        raise _error(documents, code, stderr.decode(errors="replace"))
    return documents


def _documents(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _is_error(document: Any) -> bool:
    return isinstance(document, dict) and "error" in document


def _error(documents: list[Any], exit_code: int, messages: str) -> BlinkError:
    for document in documents:
        if _is_error(document):
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
