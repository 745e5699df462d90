"""Plays the trace of a session's call machine again (`blink status --trace --json`), and says where it comes out otherwise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from blink_cli.core.call import inputs
from blink_cli.core.call.effects import CallEffect
from blink_cli.core.call.machine import CallMachine
from blink_cli.core.call.traced_step import TIMEOUT, TracedEffect, TracedStep
from blink_cli.core.errors import BlinkError
from blink_cli.core.ids import Did


@dataclass(frozen=True, slots=True)
class Divergence:
    """A step after which the machine wanted something else than in the trace."""

    index: int
    step: TracedStep
    instead: tuple[TracedEffect, ...]


def replay(own: Did, steps: Sequence[TracedStep]) -> Iterator[Divergence]:
    """Feed a new machine with the steps of a trace that is whole, and yield the steps that differ.

    Raises:
        ValueError: The trace has an input that this build does not know.

    """
    drawn: list[bytes] = []
    machine = CallMachine(own, lambda _: drawn.pop(0))
    for index, step in enumerate(steps):
        drawn[:] = step.drawn
        effects = _played(machine, step)
        if effects != step.effects:
            yield Divergence(index, step, effects)


def _played(machine: CallMachine, step: TracedStep) -> tuple[TracedEffect, ...]:
    try:
        if step.told == TIMEOUT:
            effects: tuple[CallEffect, ...] = machine.handle_timeout(step.at_s)
        else:
            effects = machine.handle(_input(step), step.at_s)
    except BlinkError:
        return ()  # a command that was refused
    except IndexError:
        return ()  # it draws more than in the trace, which shows in the effects
    return _shown(effects)


def _input(step: TracedStep) -> inputs.CallInput:
    kind: Any = getattr(inputs, step.told, None)
    if kind is None:
        raise ValueError(f"this build knows no input {step.told}")
    told: inputs.CallInput = msgspec.convert(step.fields, kind)
    return told


def _shown(effects: tuple[CallEffect, ...]) -> tuple[TracedEffect, ...]:
    shown = tuple(
        TracedEffect(
            type(effect).__name__,
            {name: msgspec.to_builtins(getattr(effect, name)) for name in effect.__struct_fields__},
        )
        for effect in effects
    )
    # As they look when they have travelled: lists in place of tuples.
    return msgspec.json.decode(msgspec.json.encode(shown), type=tuple[TracedEffect, ...])
