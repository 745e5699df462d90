"""What holds for every command: the options before (or after) it, and the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

import msgspec
from msgspec.structs import replace

from blink_cli.commands.output import Output
from blink_cli.core.errors import UsageError

DEFAULT_PROFILE: Final = "default"


class GlobalOptions(msgspec.Struct, frozen=True):
    """Immutable. Options given on the command line win over the environment."""

    profile: str = DEFAULT_PROFILE
    data_dir: Path | None = None
    """None: where the system keeps such data."""

    json: bool = False
    """One document on stdout, errors included."""

    color: bool = True
    """Whether colour may be used at all; it never is where stdout is no terminal."""

    verbosity: int = 0
    """-1: no messages; 0: messages; 1: with the log's information; 2: with its details, and with tracebacks."""

    traceback: bool = False
    """Show where an error came from, for those who work on this program."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read `BLINK_PROFILE`, `BLINK_DATA_DIR`, `NO_COLOR` (https://no-color.org: set and not empty) and `BLINK_TRACEBACK`."""
        data_dir = environment.get("BLINK_DATA_DIR")
        return cls(
            profile=environment.get("BLINK_PROFILE") or DEFAULT_PROFILE,
            data_dir=Path(data_dir) if data_dir else None,
            color=not environment.get("NO_COLOR"),
            traceback=environment.get("BLINK_TRACEBACK", "0") not in {"", "0"},
        )

    def output(self, kind: type[Output] = Output) -> Output:
        """Return where a command's words go under these options."""
        return kind(json=self.json, color=self.color, quiet=self.verbosity < 0)

    def changed(
        self,
        *,
        profile: str | None = None,
        data_dir: str | None = None,
        json: bool = False,
        no_color: bool = False,
        verbose: int = 0,
        quiet: bool = False,
    ) -> "GlobalOptions":
        """Return these options with what a command line says added. What it does not say stays.

        Raises:
            UsageError: `--data-dir` is empty, as an unset variable of a shell script is.

        """
        if data_dir is not None and not data_dir.strip():
            raise UsageError(
                "--data-dir is empty.", hint="Name a folder, or leave the option out; is a variable unset?"
            )
        verbosity = -1 if quiet else self.verbosity + verbose
        return replace(
            self,
            profile=self.profile if profile is None else profile,
            data_dir=self.data_dir if data_dir is None else Path(data_dir),
            json=self.json or json,
            color=self.color and not no_color,
            verbosity=verbosity,
            traceback=self.traceback or verbosity >= 2,
        )
