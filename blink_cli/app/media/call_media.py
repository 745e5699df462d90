"""The media of a call as the rules of calls see them: what they may ask of them, and what they are told.

CallRunner --begin, end, mute, deafen--------------------------------> CallMedia         --MediaInput--> MediaOwner (the CallRunner)
           --expect, describe_early, dial, answer, apply, hang_up----> its DirectConnections
           --enter, leave, use_keys, hear, hang_up, talks------------> its RoomOfCall

There is a connection to each participant, or one to a room on an SFU, or both while a call goes over from one to the other.
"""

from collections.abc import Sequence
from typing import Protocol

from blink_cli.core.call.group_key import GroupKey
from blink_cli.core.call.inputs import MediaInput
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.room import RoomFeed, RoomPlace


class MediaOwner(Protocol):
    """Who began a call's media. Called on the event loop; must not block."""

    def media_told(self, event: MediaInput) -> None:
        """Take what happened to the media."""

    @property
    def standing(self) -> frozenset[Did]:
        """Whose links stand by the rules of the call; one that is lost may keep its connection for a while."""

    def our_losses_permille(self) -> dict[Did, int]:
        """How much of our voice is lost on the way to whoever said so lately, before any repair: what those say whom we do not hear ourselves, too."""


class DirectConnections(Protocol):
    """The connections to the participants, one each. Belongs to the event loop; nothing here waits.

    An epoch numbers the connections to one peer, and the hearings of it in a room: no two of this session have the same. A newer connection replaces the older one.
    """

    def expect(self, peer: Did) -> None:
        """It rings between us: a connection to this peer may be wanted soon. Whether it will is not known."""

    def expect_few(self, peers: Sequence[Did]) -> None:
        """These are offered a call: as `expect`, if there is room for all."""

    def describe_early(self, peer: Did, epoch: int) -> None:
        """It rings there: make a connection and tell our offer (`Described`), if that saves time once the peer accepts.

        `dial`, `answer` and `hang_up` end it; its end for any other reason is told (`Ended`).
        """

    def dial(self, peer: Did, epoch: int) -> None:
        """Make a connection and tell our offer (`Described`)."""

    def answer(self, peer: Did, epoch: int, sdp: str) -> None:
        """Make a connection from the peer's offer and tell our answer (`Described`)."""

    def apply(self, peer: Did, epoch: int, sdp: str) -> None:
        """Give the peer's answer to the connection of this epoch, if it still stands."""

    def hang_up(self, peer: Did, epoch: int) -> None:
        """Close the connection of this epoch, if it still stands."""


class RoomOfCall(Protocol):
    """The connection to a room on an SFU, and who is heard in it. Belongs to the event loop; nothing here waits."""

    def enter(self, place: RoomPlace) -> None:
        """Publish there, and make the room if there is none. Told by `RoomEntered`, then or instead by `RoomLost`, once.

        `use_keys` was called before. Media that cannot do this tell `RoomLost`.
        """

    def leave(self) -> None:
        """Publish no more; end every hearing in the room without telling anything."""

    def use_keys(self, current: GroupKey, former: tuple[GroupKey, ...]) -> None:
        """Seal by what follows from the current key from the next frame on; open by it and by the former ones, and by no other."""

    def hear(self, peer: Did, epoch: int, feed: RoomFeed) -> None:
        """Hear this peer by what it publishes. Told by `Connected` as soon as it can be heard when it talks, then by `Heard` and `Ended` as of connections.

        Only whose media come is told as `Heard`; a peer that has no slot is not. A newer hearing replaces the older one.
        """

    def hang_up(self, peer: Did, epoch: int) -> None:
        """End the hearing of this epoch, if it still stands."""

    def talks(self, peer: Did, *, talking: bool) -> None:
        """By its own word this peer, who is heard in the room, begins or ends to talk."""


class CallMedia(Protocol):
    """What carries voice between the participants of a call. Belongs to the event loop; nothing here waits.

    Of each peer there is one direct connection and one hearing in the room at most, whose epochs differ. Its voice is played from one of the two at a time, from
    the room's once media come by it.
    """

    @property
    def links(self) -> DirectConnections:
        """The connections to the participants."""

    @property
    def room(self) -> RoomOfCall:
        """The room, entered or not."""

    def begin(self, call: CallId, owner: MediaOwner) -> None:
        """This session is in the call: capture and play from now on, and tell `owner` what happens until `end`."""

    def end(self) -> None:
        """Close every connection; capture and play no more."""

    def set_muted(self, *, muted: bool) -> None:
        """Say nothing, or speak again, now and in later calls."""

    def set_deafened(self, *, deafened: bool) -> None:
        """Hear nothing, or hear again, now and in later calls."""
