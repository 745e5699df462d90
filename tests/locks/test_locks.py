"""Locks and pyproject.toml agree: what is asked for is pinned, what is pinned is asked for, and it is what runs here."""

import functools
import os
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.codec.test_judges import VISQOL

pytestmark = pytest.mark.no_clock

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {"run": "build", "test": "test", "visqol": "build", "lowest": "test"}
"""Each lock, and the group of dependencies that it holds beside the program and its extras: those of `all`, one, or all but that one."""

NOT_EVERYWHERE = frozenset({"pesq"})
"""Compiled where it is installed, and left out by scripts/lib/setup.sh where there is no compiler."""


APART = frozenset({"all", "visqol"})
"""Extras that the locks of all do not hold: one that names others, and one that is larger than everything else together."""

INSTALLED = os.environ.get("BLINK_TEST_LOCK", "test")
"""The lock of the environment in which this runs; scripts/lowest has another."""


@functools.cache
def described() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def members(group: str) -> Iterator[Requirement]:
    for one in described()["dependency-groups"][group]:
        if isinstance(one, dict):
            yield from members(one["include-group"])
        else:
            yield Requirement(one)


def asked_for(lock: str) -> list[Requirement]:
    """Every direct dependency, those of the lock's extras included."""
    project = described()["project"]
    extras = project["optional-dependencies"]
    (everything,) = map(Requirement, extras["all"])
    held = {"run": everything.extras, "visqol": {"visqol"}}.get(lock, extras.keys() - APART)
    lines = [*project["dependencies"], *(one for extra in sorted(held) for one in extras[extra])]
    return [Requirement(line) for line in lines] + list(members(LOCKS[lock]))


@functools.cache
def pinned(lock: str) -> dict[str, list[tuple[Requirement, Version]]]:
    """By name; several where Pythons or systems need several."""
    pins: dict[str, list[tuple[Requirement, Version]]] = {}
    for block in re.split(r"\n(?=\S)", (ROOT / "locks" / f"{lock}.txt").read_text(encoding="utf-8")):
        if block.startswith("#"):
            continue
        requirement = Requirement(block.partition("\\")[0])
        (only,) = requirement.specifier
        assert only.operator == "==", block
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), f"{requirement} has no hash"
        pins.setdefault(canonicalize_name(requirement.name), []).append((requirement, Version(only.version)))
    return pins


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_asked_for_is_pinned_within_its_range(lock: str) -> None:
    for wanted in asked_for(lock):
        pins = pinned(lock).get(canonicalize_name(wanted.name), [])
        assert pins, f"{wanted} is not in locks/{lock}.txt: run scripts/lock"
        for pin, version in pins:
            assert wanted.specifier.contains(version, prereleases=True), (
                f"{pin} is outside {wanted}: run scripts/lock"
            )


def test_the_lowest_lock_holds_the_lowest_versions() -> None:
    for wanted in asked_for("lowest"):
        (lowest,) = (Version(one.version) for one in wanted.specifier if one.operator == ">=")
        for _, version in pinned("lowest")[canonicalize_name(wanted.name)]:
            assert version == lowest, f"{wanted.name}: {lowest} is promised, and {version} is tested"


def test_what_runs_is_a_part_of_what_is_tested() -> None:
    assert pinned("run").items() <= pinned("test").items()


def test_the_judge_that_is_tested_is_the_one_that_is_locked() -> None:
    for wanted in map(Requirement, VISQOL):
        ((_, version),) = pinned("visqol")[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(version), (
            f"tests/codec/test_judges.py tests another one than {version}"
        )
    shared = pinned("run").keys() & pinned("visqol").keys()
    assert len(shared) > 30
    for name in shared:
        assert {version for _, version in pinned("visqol")[name]} == {
            version for _, version in pinned("run")[name]
        }, name


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_says_where_packages_come_from(lock: str) -> None:
    text = (ROOT / "locks" / f"{lock}.txt").read_text(encoding="utf-8")
    assert "//" not in text
    assert not re.search(r"^\s*-", text.replace("--hash", ""), re.MULTILINE), "an option, an index for one"


def test_what_is_installed_is_what_is_pinned_and_all_of_it_is_needed() -> None:
    lock = pinned(INSTALLED)
    here = {
        name: version
        for name, pins in lock.items()
        for pin, version in pins
        if pin.marker is None or pin.marker.evaluate()
    }
    needed: set[str] = set()
    rest = [one for one in asked_for(INSTALLED) if one.marker is None or one.marker.evaluate()]
    while rest:
        wanted = rest.pop()
        name = canonicalize_name(wanted.name)
        assert name in here, f"{wanted} is needed and not in locks/{INSTALLED}.txt: run scripts/lock"
        if name in needed:
            continue
        needed.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            assert name in NOT_EVERYWHERE, f"{name} is not installed"
            continue
        assert Version(found.version) == here[name], f"{name}: set up again, scripts/test does it"
        for line in found.requires or ():
            one = Requirement(line)
            if one.marker is None or any(
                one.marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)
            ):
                rest.append(one)
    assert needed == here.keys(), "nothing needs the others: run scripts/lock"
