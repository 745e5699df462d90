"""Checks in this very process, on a situation that a test has made, and what they must say."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from blink_cli.app.profile.profile import find_profile
from blink_cli.app.profile.settings import Settings
from blink_cli.commands.doctor_text import report_of
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.doctor.finding import Finding
from blink_cli.doctor.situation import RunningSession, Situation

FAILED = 6

Row = Mapping[str, Any]


class Found:
    """The findings of one run, as scripts get them."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = {row["name"]: row for row in rows}

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Found":
        """Those of checks that ran here."""
        return cls(msgspec.to_builtins(report_of(tuple(findings)))["checks"])

    def __getitem__(self, name: str) -> Row:
        return self._rows[name]

    def broken(self, name: str, *words: str) -> None:
        """Make sure that something is a failure, told with these words, and with something to do."""
        row = self[name]
        assert (row["ok"], row["level"]) == (False, "failed"), row
        assert row["remedy"], row
        for word in words:
            assert word in row["found"] + row["remedy"], row

    def warned(self, name: str, *words: str) -> None:
        """Make sure that something is a warning, told with these words, and with something to do."""
        row = self[name]
        assert row["level"] == "warning", row
        for word in words:
            assert word in row["found"] + row["remedy"], row

    def whole(self, *names: str) -> None:
        """Make sure that these are as they should be."""
        for name in names:
            assert self[name]["ok"] is True, self[name]

    def command(self, name: str, beginning: str) -> Sequence[str]:
        """The command of a remedy that begins so, in words."""
        found = [one for one in re.findall(r"`([^`]+)`", self[name]["remedy"]) if one.startswith(beginning)]
        assert found, self[name]
        return [word.strip("'") for word in found[0].split()]


def situation(
    folder: Path, options: SessionOptions | None = None, session: RunningSession | None = None
) -> Situation:
    """The default profile in a folder, where a session would be started with these options."""
    return Situation(
        profile=find_profile("default", folder, {}),
        options=options or SessionOptions(),
        settings=Settings(),
        session=session,
        version="1",
    )
