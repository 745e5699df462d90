"""What the program's metadata asks for is read as `packaging` reads it."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement as Judge

from blink_cli.doctor.requirement import applies, parse_requirement, release_of

pytestmark = pytest.mark.no_clock

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
LINES = [
    *PROJECT["dependencies"],
    *(line for lines in PROJECT["optional-dependencies"].values() for line in lines),
]


@pytest.mark.parametrize("line", LINES)
def test_each_of_ours_is_read_as_the_judge_reads_it(line: str) -> None:
    ours, judge = parse_requirement(line), Judge(line)
    assert ours.name == judge.name
    assert {f"{sign}{version}" for sign, version in ours.versions} == {str(one) for one in judge.specifier}
    assert applies(ours) == (judge.marker is None or judge.marker.evaluate({"extra": ""}))
    for version in ("0.1", "0.5", "1.1", "1.16.3", "2.4.1", "18.0", "47", "200"):
        assert (ours.broken_by(version) is None) == judge.specifier.contains(version, prereleases=True)


@pytest.mark.parametrize(
    ("marker", "holds"),
    [
        ("sys_platform == 'nowhere'", False),
        ("sys_platform != 'nowhere' and python_version >= '3.9'", True),
        ("python_version < '3.9' or platform_machine in 'nothing'", False),
        ("extra == 'plot'", True),
    ],
)
def test_markers(marker: str, *, holds: bool) -> None:
    assert applies(parse_requirement(f"thing>=1; {marker}")) is holds


@pytest.mark.parametrize("line", ["", "thing ~=1", "thing>=1; os_name == 'x'", "thing; 1 + 1"])
def test_what_is_not_understood_is_said_so(line: str) -> None:
    with pytest.raises(ValueError, match=r"requirement|understood"):
        applies(parse_requirement(line))


def test_a_pre_release_counts_as_what_it_leads_to() -> None:
    assert release_of("0.6.14a1") == release_of("0.6.14") == (0, 6, 14)
    assert release_of("1.0") == release_of("1")
