"""The session of the profile, if one runs: it answers, it is of this version, and its machine keeps up."""

import os
import re
from collections.abc import Iterator
from typing import Final

from blink_cli.app.log.log_files import newest_log
from blink_cli.app.profile.profile_lock import LOCK_NAME, holding_process
from blink_cli.core.text.path_text import shown
from blink_cli.doctor.finding import Finding, failed, fine, warning
from blink_cli.doctor.situation import SessionTrouble, Situation
from blink_cli.files.reading import open_reading

NAME: Final = "session"
LAST: Final = "last-session"
OTHER_VERSIONS: Final = "other-versions"

LAST_WORDS_BYTES: Final = 65_536
"""What a crash writes is at the end."""


def look(situation: Situation) -> Iterator[Finding]:
    """Say what the session told of itself."""
    match situation.session:
        case None:
            holder = holding_process(situation.profile.runtime_dir / LOCK_NAME)
            if holder is not None:
                yield failed(
                    NAME,
                    f"process {holder} holds the profile, and answers no command",
                    f"If it is not just starting, end it: `kill {holder}`.",
                )
                return
            yield fine(NAME, "none of this profile runs; `blink serve` or `blink` starts one")
            yield from _last_session(situation)
            return
        case SessionTrouble(reason=reason):
            yield failed(
                NAME,
                f"one of this profile runs and does not answer: {reason}",
                "End its process, and start it again.",
            )
            return
        case running:
            status = running.status
    machine = status.machine
    if running.version is not None and running.version != situation.version:
        yield warning(
            NAME,
            f"process {status.pid} runs version {running.version}, this is {situation.version}",
            "Start the session again: `blink quit`, `blink serve`.",
        )
    elif machine is not None and machine.overloaded:
        yield warning(
            NAME,
            f"process {status.pid} runs on a machine that is too slow for its call: {machine.reason or 'it is overloaded'}",
            "Close programs that compute; `top` names them.",
        )
    else:
        yield fine(NAME, f"process {status.pid} runs; microphone: {status.input}, speaker: {status.output}")
    if status.other_versions:
        yield warning(
            OTHER_VERSIONS,
            f"{len(status.other_versions)} sessions on the network speak another version of the protocol",
            "Give all the same version of blink: `blink peers` names them.",
        )


def _last_session(situation: Situation) -> Iterator[Finding]:
    """Whether the last session ended by a crash, which its log then tells."""
    try:
        path = newest_log(situation.profile.logs_dir)
        if path is None:
            return
        with open_reading(path) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LAST_WORDS_BYTES))
            words = file.read(LAST_WORDS_BYTES).decode(errors="replace")
    except OSError:
        return
    crash = re.search(r"^Fatal Python error: (.*)$", words, re.MULTILINE)
    if crash is not None:
        yield warning(
            LAST,
            f"the last session crashed: {crash[1]}",
            f"Please report it, with what `blink bugreport` writes. Its log is {shown(path)}.",
        )
