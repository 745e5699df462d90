"""The media of a call as the rules of calls see them: what they may ask of them, and what they are told.

CallRunner --begin, end, expect, dial, answer, apply, hang_up, mute, deafen--> CallMedia --MediaInput--> MediaOwner (the CallRunner)

`MeshMedia` has a connection to each participant. Media that go through a server are another `CallMedia`.
"""

from typing import Protocol

from blink_cli.core.call.inputs import MediaInput
from blink_cli.core.ids import CallId, Did


class MediaOwner(Protocol):
    """Who began a call's media. Called on the event loop; must not block."""

    def media_told(self, event: MediaInput) -> None:
        """Take what happened to the media."""

    @property
    def standing(self) -> frozenset[Did]:
        """Whose links stand by the rules of the call; one that is lost may keep its connection for a while."""


class CallMedia(Protocol):
    """What carries voice between the participants of a call. Belongs to the event loop; nothing here waits.

    An epoch numbers the connections to one peer; what is said of an older one than the present is ignored.
    """

    def begin(self, call: CallId, owner: MediaOwner) -> None:
        """This session is in the call: capture and play from now on, and tell `owner` what happens until `end`."""

    def end(self) -> None:
        """Close every connection; capture and play no more."""

    def expect(self, peer: Did) -> None:
        """It rings between us: a connection to this peer may be wanted soon. Whether it will is not known."""

    def dial(self, peer: Did, epoch: int) -> None:
        """Make a connection and tell our offer (`Described`)."""

    def answer(self, peer: Did, epoch: int, sdp: str) -> None:
        """Make a connection from the peer's offer and tell our answer (`Described`)."""

    def apply(self, peer: Did, epoch: int, sdp: str) -> None:
        """Give the peer's answer to the connection of this epoch, if it still stands."""

    def hang_up(self, peer: Did, epoch: int) -> None:
        """Close the connection of this epoch, if it still stands."""

    def set_muted(self, *, muted: bool) -> None:
        """Say nothing, or speak again, now and in later calls."""

    def set_deafened(self, *, deafened: bool) -> None:
        """Hear nothing, or hear again, now and in later calls."""
