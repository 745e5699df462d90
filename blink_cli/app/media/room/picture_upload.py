"""By what this session's pictures go to a room. Light: what they take is loaded when there are some."""

import msgspec

from blink_cli.core.ids import Did
from blink_cli.core.media.room import RoomFeed
from blink_cli.net.link.media_link import MediaLink
from blink_cli.net.sfu.janus_session import JanusHandle


class PictureUpload(msgspec.Struct, frozen=True):
    """By what our pictures go to the room."""

    own: Did
    feed: RoomFeed
    """Of our voice, whose stream id ours follow from."""

    handle: JanusHandle
    link: MediaLink
