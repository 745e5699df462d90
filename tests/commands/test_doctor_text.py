"""What `doctor` shows to people, and to scripts."""

import msgspec
import pytest

from blink_cli.commands.doctor_text import doctor_lines, report_of
from blink_cli.commands.show.styled import plain, width_of
from blink_cli.doctor.finding import failed, fine, unknown, warning

pytestmark = pytest.mark.no_clock

FINDINGS = (
    fine("python", "CPython 3.13"),
    warning("clock", "it is not synchronised", "Set it."),
    failed("input-volume", "the microphone of \x1b[31mred\x1b[0m is muted in the sound server", "Unmute it."),
    unknown("sound-server", "none is running"),
)


def test_the_document_says_what_is_a_failure() -> None:
    rows = msgspec.to_builtins(report_of(FINDINGS))["checks"]
    assert [(row["name"], row["ok"], row["level"]) for row in rows] == [
        ("python", True, "ok"),
        ("clock", None, "warning"),
        ("input-volume", False, "failed"),
        ("sound-server", None, "unknown"),
    ]
    assert [row["remedy"] for row in rows] == [None, "Set it.", "Unmute it.", None]


def test_a_file_has_a_line_for_each() -> None:
    assert [plain(line) for line in doctor_lines(FINDINGS, None)] == [
        "ok       python: CPython 3.13",
        "warning  clock: it is not synchronised",
        "           Set it.",
        "FAILED   input-volume: the microphone of ?[31mred?[0m is muted in the sound server",
        "           Unmute it.",
        "-        sound-server: none is running",
        "4 checks, 1 failed, 1 warning",
    ]


@pytest.mark.parametrize("columns", [30, 40, 80])
def test_it_fits_the_terminal(columns: int) -> None:
    lines = doctor_lines(FINDINGS, columns)
    assert max(map(width_of, lines)) < columns
    words = " ".join(" ".join(plain(line).split()) for line in lines)
    assert "muted in the sound server Unmute it." in words


def test_nothing_wrong_is_said_so() -> None:
    assert plain(doctor_lines(FINDINGS[:1], 80)[-1]) == "1 check, nothing wrong"
