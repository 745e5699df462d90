"""What is said of a session of another version of the protocol."""

from typing import Protocol

from blink_cli.core.ids import Did


class Speaker(Protocol):
    """Who it is about."""

    @property
    def address(self) -> str:
        """HOST:PORT."""
        ...

    @property
    def did(self) -> Did | None:
        """If it says who it is."""
        ...

    @property
    def newer(self) -> bool:
        """Than this session's version; else older."""
        ...


def version_sentence(speaker: Speaker, name: str) -> str:
    """Without a full stop; `name` is what it is called here, empty if it does not say who it is."""
    who = f"{name} at {speaker.address}" if name else f"a session at {speaker.address}"
    if speaker.newer:
        return f"{who} speaks a newer version of the protocol: update this blink to talk to it"
    return f"{who} speaks an older version of the protocol: it must be updated to talk to this blink"
