"""Writes a report: a zip, its user's alone, whose first file says what is in it and what is not."""

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from blink_cli.core.errors import BlinkError
from blink_cli.doctor.report.part import LeftOut, Part
from blink_cli.files.writing import appearing, create

README: Final = "README.txt"

NEVER: Final = """Never in it: the key of the profile, passphrases, credentials and secrets of STUN and TURN servers, keys of calls (those in trace.json are
stand-ins), what was said, recordings, RTP logs, the history of the prompt, and the environment beyond the names in machine.json.
"""

PEOPLE: Final = """Nicknames, DIDs, addresses and names of devices are in it as they are: look at it before you show it to others, or make it with --anonymous.
"""

ANONYMOUS: Final = """Nicknames, DIDs, addresses and the user's folder have stand-ins, the same one wherever they occur. Names of devices, and paths elsewhere, are as
they are: look at it before you show it to others.
"""


def write_archive(
    path: Path, parts: Sequence[Part], left_out: Sequence[LeftOut], *, version: str, anonymous: bool
) -> int:
    """Write a report and return its size in bytes. Blocks.

    Raises:
        BlinkError: There is such a file, or it cannot be written.

    """
    try:
        with appearing(path) as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(README, contents(parts, left_out, version=version, anonymous=anonymous))
                for part in parts:
                    archive.writestr(part.name, part.text.encode(errors="backslashreplace"))
            file.flush()
            return file.tell()
    except FileExistsError as reason:
        raise _taken(path) from reason
    except OSError as reason:
        raise _unwritable(path, reason) from reason


def require_free(path: Path) -> None:
    """See to it before the work that a file of this name can be made, by making it for a moment. Blocks.

    Raises:
        BlinkError: Something has the name, or there is no folder for it, or none in which such a file can be made.

    """
    if not path.parent.is_dir():
        raise BlinkError(f"There is no folder {path.parent}.", hint="Make it first.")
    try:
        os.close(create(path))
        path.unlink()
    except FileExistsError as reason:
        raise _taken(path) from reason
    except OSError as reason:
        raise _unwritable(path, reason) from reason


def _unwritable(path: Path, reason: OSError) -> BlinkError:
    return BlinkError(
        f"The report cannot be written to {path}: {(reason.strerror or str(reason)).lower()}.",
        hint="Name a file in another folder: `blink bugreport FILE`.",
    )


def _taken(path: Path) -> BlinkError:
    return BlinkError(f"There is a file {path} already.", hint="Name another one: `blink bugreport FILE`.")


def contents(parts: Sequence[Part], left_out: Sequence[LeftOut], *, version: str, anonymous: bool) -> str:
    """Return the list of what is in a report, and what is not."""
    width = max(len(part.name) for part in parts)
    lines = [f"What blink {version} knows of itself and its machine.", "", "In it:"]
    lines += [f"  {part.name:{width}}  {part.holds}" for part in parts]
    if left_out:
        lines += ["", "Left out:"]
        lines += [f"  {one.name:{width}}  {one.reason}" for one in left_out]
    return "\n".join([*lines, "", ANONYMOUS if anonymous else PEOPLE, NEVER])
