"""What the program's own metadata asks for: names, versions and where. As much of PEP 508 and PEP 440 as `pyproject.toml` uses.

    pywebrtc-audio<0.3,>=0.2; sys_platform == "linux" and platform_machine in "x86_64 aarch64"

`packaging` would read it, and is not among what a call needs.
"""

import ast
import operator
import platform
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_REQUIREMENT: Final = re.compile(
    r"\s*(?P<name>[A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*(?P<versions>[^;]*?)\s*(?:;\s*(?P<marker>.*))?"
)
_RELEASE: Final = re.compile(r"\d+(?:\.\d+)*")
_COMPARISONS: Final[dict[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda one, text: one in text,
    ast.NotIn: lambda one, text: one not in text,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
}
_VERSIONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge,
    "<": operator.lt,
    "==": operator.eq,
    ">": operator.gt,
    "<=": operator.le,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One distribution that is wanted."""

    name: str
    versions: tuple[tuple[str, str], ...]
    """Each an operator and a version, all of which must hold."""

    marker: str | None
    extra: str | None
    """Of which extra it is a part."""

    @property
    def range(self) -> str:
        """The versions, as they are written; empty: any."""
        return ",".join(f"{sign}{version}" for sign, version in self.versions)

    def broken_by(self, version: str) -> str | None:
        """Return the first bound that a version does not keep, such as `>=1.16`; None if it keeps all."""
        have = release_of(version)
        for sign, bound in self.versions:
            if not _VERSIONS[sign](have, release_of(bound)):
                return f"{sign}{bound}"
        return None


def parse_requirement(text: str) -> Requirement:
    """Read one line of a distribution's metadata.

    Raises:
        ValueError: It is not understood.

    """
    found = _REQUIREMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no requirement")
    versions = []
    for part in filter(None, (part.strip() for part in found["versions"].strip("() ").split(","))):
        sign = re.match(r"[<>=!]=?", part)
        if sign is None or sign[0] not in _VERSIONS:
            raise ValueError(f"{text!r} has a bound that is not understood: {part}")
        versions.append((sign[0], part[sign.end() :].strip()))
    marker = found["marker"]
    extra = None if marker is None else re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", marker)
    return Requirement(found["name"], tuple(sorted(versions, reverse=True)), marker, extra and extra[1])


def applies(requirement: Requirement) -> bool:
    """Whether it is wanted on this machine, an extra taken for chosen."""
    if requirement.marker is None:
        return True
    return _holds(ast.parse(requirement.marker, mode="eval").body, _environment(requirement.extra or ""))


def release_of(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with, without zeros at the end: pre-releases count as what they lead to."""
    found = _RELEASE.match(version.strip().lstrip("v"))
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _environment(extra: str) -> Mapping[str, str]:
    return {
        "sys_platform": sys.platform,
        "platform_machine": platform.machine(),
        "platform_system": platform.system(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "extra": extra,
    }


def _holds(node: ast.expr, environment: Mapping[str, str]) -> bool:
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_holds(value, environment) for value in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_holds(value, environment) for value in values)
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _COMPARISONS:
            one, other = _value(left, environment), _value(right, environment)
            if isinstance(left, ast.Name) and left.id == "python_version":
                return _COMPARISONS[type(sign)](release_of(one), release_of(other))
            return _COMPARISONS[type(sign)](one, other)
        case _:
            raise ValueError(f"a marker that is not understood: {ast.unparse(node)}")


def _value(node: ast.expr, environment: Mapping[str, str]) -> str:
    match node:
        case ast.Name(id=name) if name in environment:
            return environment[name]
        case ast.Constant(value=str() as text):
            return text
        case _:
            raise ValueError(f"a marker that is not understood: {ast.unparse(node)}")
