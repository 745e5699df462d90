"""Replies about what is to be seen of participants."""

from blink_cli.core.api.replies.document import ReplyPart, WholeReply
from blink_cli.core.ids import Did


class ShownPicture(ReplyPart, frozen=True):
    """A picture as it was asked for: scaled to fit, its shape kept."""

    number: int
    """Counts the pictures of its participant; what is between two that were asked for was not shown."""

    width: int
    height: int
    pixels: bytes
    """Red, green, blue, row by row from above, 8 bits each: `width * height * 3` bytes, in base64 where it travels as JSON."""

    source_width: int
    source_height: int
    """Of the picture as it came."""


class PictureShown(WholeReply, frozen=True, tag="picture_shown"):
    """The newest picture of a participant."""

    did: Did
    nickname: str
    visible: bool
    """Whether there is anything to be seen of it: its camera is on, and a picture came."""

    picture: ShownPicture | None
    """Null when none came in time that is newer than the one which was known."""


class SnapshotSaved(WholeReply, frozen=True, tag="snapshot_saved"):
    """A picture was written to a file."""

    did: Did
    nickname: str
    path: str
    width: int
    height: int
