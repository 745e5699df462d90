"""What a call asks of VideoRoom: a room that is there, one's own stream in it, and others' streams on connections that can be given to another stream.

    enter      "create", where somebody else was first that is well; then "join" as a publisher
    publish    our offer -> its answer: the connection only sends
    subscribe  its offer -> our answer: the connection only receives
    switch     another stream on a connection that stands, without new descriptions

What the server is told of people is nothing: no display name, no numbers but its own. Source: Janus 1.1's documentation of VideoRoom.
"""

import secrets
from typing import Any, Final

import msgspec

from blink_cli.core.media.room import RoomPlace
from blink_cli.net.sfu.janus_session import Description, JanusHandle, Reply, SfuError

MAX_PUBLISHERS: Final = 128
"""VideoRoom's default is 3."""

NO_SUCH_ROOM: Final = 426
ROOM_EXISTS: Final = 427
_NO_ADMIN_KEY: Final = (429, 433)
"""Of "create": something is missing, or wrong, which can be the `admin_key` alone."""

NO_SUCH_FEED: Final = 428
VOICE_MID: Final = "0"
"""Of the voice in every description of ours."""


class Entrance(msgspec.Struct, frozen=True):
    """What the server said as one entered."""

    feed: int
    """The number of the own stream."""

    secret: str | None
    """By which the room can be ended; None: somebody else has made it."""


async def enter(handle: JanusHandle, place: RoomPlace, *, admin_key: str | None = None) -> Entrance:
    """Be in the room, and make it where there is none; whom the server lets make none comes into one that somebody else has made.

    Raises:
        SfuError: The server refuses, or does not answer.

    """
    # Told to nobody: who knows it can put people out, end the room, and have its packets sent elsewhere.
    secret: str | None = secrets.token_hex(16)
    room: dict[str, Any] = {
        "request": "create",
        "room": place.room,
        "pin": place.pin,
        "secret": secret,
        "is_private": True,
        "description": "",
        "publishers": MAX_PUBLISHERS,
        "audiocodec": "opus",
        "audiolevel_ext": False,
        "transport_wide_cc_ext": True,  # of pictures alone: by it their rate is found
        "playoutdelay_ext": False,
        "videoorient_ext": False,
        "opus_fec": False,
    }
    if admin_key is not None:
        room["admin_key"] = admin_key
    not_let: SfuError | None = None
    try:
        await handle.request(room)
    except SfuError as refusal:
        if refusal.number not in (ROOM_EXISTS, *_NO_ADMIN_KEY):
            raise
        not_let = refusal if refusal.number in _NO_ADMIN_KEY else None
        secret = None
    try:
        joined = await handle.request(
            {"request": "join", "ptype": "publisher", "room": place.room, "pin": place.pin}
        )
    except SfuError as refusal:
        if refusal.number == NO_SUCH_ROOM and not_let is not None:
            raise not_let from refusal
        raise
    feed = joined.data.get("id")
    if not isinstance(feed, int) or not 0 < feed < 2**53:
        raise SfuError("The SFU gave no number of a stream.")
    return Entrance(feed, secret)


async def take_down(handle: JanusHandle, place: RoomPlace, secret: str) -> None:
    """Let there be no such room any more, whoever is in it: VideoRoom keeps a room that everybody has left.

    Raises:
        SfuError: The server refuses, or does not answer.

    """
    await handle.request({"request": "destroy", "room": place.room, "secret": secret})


async def others_in(handle: JanusHandle, place: RoomPlace, feed: int) -> bool:
    """Whether anybody but the stream of this number is in the room.

    Raises:
        SfuError: The server refuses, or does not answer.

    """
    reply = await handle.request({"request": "listparticipants", "room": place.room})
    listed = reply.data.get("participants")
    return not isinstance(listed, list) or any(
        not isinstance(one, dict) or one.get("id") != feed for one in listed
    )


async def publish(handle: JanusHandle, offer: str) -> str:
    """Give our description; returns the server's.

    Raises:
        SfuError: It refuses, or does not answer.

    """
    reply = await handle.request({"request": "publish"}, Description("offer", offer))
    return _sdp(reply, "answer")


async def subscribe(handle: JanusHandle, place: RoomPlace, feed: int, mid: str) -> str:
    """Ask for one stream of what somebody publishes; returns the server's description, to be answered by `start`.

    Args:
        handle: Of its own.
        place: The room.
        feed: Whose.
        mid: Which: `VOICE_MID`, or that of the pictures.

    Raises:
        SfuError: There is no such stream (`NO_SUCH_FEED`), or it refuses, or does not answer.

    """
    reply = await handle.request(
        {
            "request": "join",
            "ptype": "subscriber",
            "room": place.room,
            "pin": place.pin,
            "streams": [{"feed": feed, "mid": mid}],
            "autoupdate": False,
        }
    )
    return _sdp(reply, "offer")


async def publish_also(handle: JanusHandle, offer: str) -> str:
    """Give a description of a connection that stands, with pictures besides; returns the server's.

    Raises:
        SfuError: It refuses, or does not answer.

    """
    reply = await handle.request({"request": "configure"}, Description("offer", offer))
    return _sdp(reply, "answer")


async def start(handle: JanusHandle, answer: str) -> None:
    """Answer the description of a subscription.

    Raises:
        SfuError: It refuses, or does not answer.

    """
    await handle.request({"request": "start"}, Description("answer", answer))


async def switch(handle: JanusHandle, feed: int) -> bool:
    """Put another stream on a subscription that stands.

    Returns:
        False where that cannot be: the stream that was on it is gone, and with it the permission to send (a new description would be
        wanted). A new subscription takes no longer.

    Raises:
        SfuError: There is no such stream (`NO_SUCH_FEED`), or it refuses, or does not answer.

    """
    reply = await handle.request(
        {"request": "switch", "streams": [{"feed": feed, "mid": VOICE_MID, "sub_mid": VOICE_MID}]}
    )
    return reply.jsep is None and reply.data.get("switched") == "ok" and reply.data.get("changes") == 1


def _sdp(reply: Reply, kind: str) -> str:
    if reply.jsep is None or reply.jsep.type != kind:
        raise SfuError(f"The SFU gave no {kind}.")
    return reply.jsep.sdp
