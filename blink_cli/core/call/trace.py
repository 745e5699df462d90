"""The last steps of a call machine: what it was told and when, what it drew at random, and what it wanted. For people, and to be played again.

Keys do not leave the session: each is replaced by another that stands for it wherever it occurs, so that what depends on keys being the same
or not plays again as it was. (Two keys of one epoch may change their order: `CallKeys` breaks that tie by the key.)
"""

import itertools
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec

from blink_cli.core.call.effects import CallEffect
from blink_cli.core.call.group_key import GroupKey
from blink_cli.core.call.inputs import CallInput
from blink_cli.core.call.traced_step import TIMEOUT, TracedEffect, TracedStep
from blink_cli.core.ids import GROUP_KEY_BYTES
from blink_cli.core.signaling.topics import key_id_of
from blink_cli.core.text.veil import Veil

STEPS: Final = 4096
"""Media say every tenth of a second that they arrive: with seven others that is a minute."""


class TracePage(msgspec.Struct, frozen=True):
    """Some steps of a trace."""

    first: int
    """The number of the first of them; the first of all is 0."""

    steps: tuple[TracedStep, ...]
    more: bool
    """Whether there are later ones."""


class _Step(msgspec.Struct, frozen=True):
    at_s: float
    told: CallInput | None
    drawn: tuple[bytes, ...]
    effects: tuple[CallEffect, ...]


class CallTrace:
    """Belongs to who feeds the machine. The oldest steps go."""

    def __init__(self, entropy: Callable[[int], bytes], most: int = STEPS) -> None:
        """Remember at most so many steps; random bytes come from `entropy`."""
        self._entropy = entropy
        self._steps: deque[_Step] = deque(maxlen=most)
        self._noted = 0
        self._drawn: list[bytes] = []
        self._veil = _Veil()

    def entropy(self, count: int) -> bytes:
        """Return so many random bytes, and remember them. For the machine."""
        drawn = self._entropy(count)
        self._drawn.append(drawn)
        return drawn

    def note(self, at_s: float, told: CallInput | None, effects: Sequence[CallEffect]) -> None:
        """Remember a step; None: only time had passed."""
        self._steps.append(_Step(at_s, told, tuple(self._drawn), tuple(effects)))
        self._drawn.clear()
        self._noted += 1

    def page(self, first: int, most_bytes: int) -> "TracePage":
        """Return steps from a number on, the oldest that is left or later, as many as fit; with other keys in place of those that were used."""
        oldest = self._noted - len(self._steps)
        begin = max(first, oldest)
        steps: list[TracedStep] = []
        room = most_bytes
        for step in itertools.islice(self._steps, begin - oldest, None):
            shown = self._shown(step)
            room -= len(msgspec.json.encode(shown))
            if steps and room < 0:
                break
            steps.append(shown)
        return TracePage(first=begin, steps=tuple(steps), more=begin + len(steps) < self._noted)

    def _shown(self, step: _Step) -> TracedStep:
        veil = self._veil
        return TracedStep(
            at_s=step.at_s,
            drawn=tuple(veil.hidden(drawn) for drawn in step.drawn),
            told=TIMEOUT if step.told is None else type(step.told).__name__,
            fields=_fields(step.told, veil),
            effects=tuple(
                TracedEffect(type(effect).__name__, _fields(effect, veil)) for effect in step.effects
            ),
        )


def _fields(value: Any, veil: "_Veil") -> dict[str, Any]:
    if value is None:
        return {}
    return {name: msgspec.to_builtins(veil.hidden(getattr(value, name))) for name in value.__struct_fields__}


class _Veil:
    """Puts other keys in place of those in a trace: the same one always in place of the same."""

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(32)
        self._key_ids: dict[bytes, bytes] = {}
        self._words = Veil()

    def hidden(self, value: Any) -> Any:
        """Return a value without the keys in it."""
        match value:
            case bytes():
                return self._bytes(value)
            case str():
                return self._words.over(value) if "ice-pwd" in value else value
            case tuple():
                return tuple(self.hidden(one) for one in value)
            case GroupKey():
                return GroupKey(value.epoch, self._bytes(value.key))
            case msgspec.Struct():
                changed = {name: self.hidden(getattr(value, name)) for name in value.__struct_fields__}
                return msgspec.structs.replace(value, **changed)
            case _:
                return value

    def _bytes(self, value: bytes) -> bytes:
        if len(value) != GROUP_KEY_BYTES:
            return self._key_ids.get(value, value)
        other = blake2b(value, key=self._salt, digest_size=GROUP_KEY_BYTES).digest()
        self._key_ids[key_id_of(value)] = key_id_of(other)
        return other
