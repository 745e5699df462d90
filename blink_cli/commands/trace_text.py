"""The steps of the call machine as lines: what it was told, and what it wanted."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from blink_cli.core.call.traced_step import TracedStep

UNTOLD: Final = frozenset({"Heard", "Reception"})
"""Said ten times a second by each link: left out unless something followed."""

LONGEST: Final = 60


def trace_lines(steps: Iterable[TracedStep]) -> Iterator[str]:
    """Return a line for each step, and one for each thing that followed; times count from the first."""
    begun_s: float | None = None
    for step in steps:
        begun_s = step.at_s if begun_s is None else begun_s
        if step.effects or step.told not in UNTOLD:
            yield f"{step.at_s - begun_s:9.3f}  {step.told}{_fields(step.fields)}"
            for effect in step.effects:
                yield f"           -> {effect.effect}{_fields(effect.fields)}"


def _fields(fields: dict[str, Any]) -> str:
    return "".join(f" {name}={_short(value)}" for name, value in fields.items())


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
