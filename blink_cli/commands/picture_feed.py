"""Pictures of a session, asked for as fast as the terminal shows them: what comes in between is never asked for, so nothing waits anywhere.

terminal free ──> GetPicture: newer than the one shown, as small as its place ──> PictureOverlay
"""

import asyncio
from collections.abc import Callable
from typing import Final

import numpy as np

from blink_cli.commands.show.pictures.overlay import PictureOverlay
from blink_cli.commands.show.pictures.pixels import Pixels
from blink_cli.core.api.replies.pictures import PictureShown, ShownPicture
from blink_cli.core.api.requests import GetPicture
from blink_cli.core.api.session_port import SessionPort

WAIT_S: Final = 1.0
"""For a picture that does not come; then the size is looked at again."""

REST_S: Final = 0.03
"""Where a part of the last picture is not drawn yet."""

NO_PLACE_S: Final = 0.2

USUAL_FPS: Final = 15.0


async def follow_pictures(
    session: SessionPort,
    overlay: PictureOverlay,
    key: str,
    peer: str | None,
    *,
    fps: float,
    noted: Callable[[PictureShown], None],
) -> None:
    """Show what is to be seen of a participant, until cancelled.

    Args:
        session: Whom to ask.
        overlay: Shows it.
        key: Of the picture's place.
        peer: Whose: a name, which is looked up once; None: one's own.
        fps: Pictures a second, at most.
        noted: Told each answer, with a picture or without.

    Raises:
        BlinkError: The session has ended, or knows nobody of this name.

    """
    loop = asyncio.get_running_loop()
    number, wanted = 0, None
    pixels: Pixels | None = None
    while True:
        fits = overlay.wanted(key)
        if fits is None:
            await asyncio.sleep(NO_PLACE_S)
            continue
        if fits != wanted:
            wanted, number = fits, 0
        await overlay.until_free()
        begun_at = loop.time()
        rest = pixels is not None and not overlay.is_complete(key)
        width, height = fits
        reply = await session.ask(
            GetPicture(
                peer=peer,
                width=max(2, width),
                height=max(2, height),
                than=number,
                wait_s=REST_S if rest else WAIT_S,
            )
        )
        if peer is not None:
            peer = reply.did  # whatever others call themselves from now on
        noted(reply)
        if reply.picture is not None:
            number, pixels = reply.picture.number, pixels_of(reply.picture)
        elif not reply.visible:
            pixels = None
            overlay.remove(key)
            await asyncio.sleep(NO_PLACE_S)
        if pixels is not None and (reply.picture is not None or rest):
            await overlay.show(key, pixels)
        await asyncio.sleep(max(0.0, begun_at + 1 / fps - loop.time()))


def pixels_of(picture: ShownPicture) -> Pixels:
    """Return a reply's pixels, shape (height, width, 3)."""
    return np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, picture.width, 3)
