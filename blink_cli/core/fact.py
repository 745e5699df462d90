"""What the rules of a room have to tell: typed, named in the past tense. Those that users hear are the events of core/api/events.py."""

from typing import Generic, TypeVar

import msgspec


def snake_case(name: str) -> str:
    """Return a class's name as scripts write it: `CallJoined` is `call_joined`."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=snake_case):
    """Base of all: encoded by msgspec with the snake-case class name as tag."""


F_co = TypeVar("F_co", bound=Fact, covariant=True)


class Emit(msgspec.Struct, Generic[F_co], frozen=True):
    """An effect of a machine: tell those who listen."""

    event: F_co
