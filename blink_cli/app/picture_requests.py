"""Answers who asks what is to be seen of a participant: small, to be shown on a terminal, or as it came, into a file.

    decoding threads ──> PictureStore ──> scaled on a worker thread ──> reply        no picture waits: who asks rarely gets the newest

What takes numpy and FFmpeg is loaded with the first picture.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blink_cli.app.call.peer_directory import PeerDirectory
from blink_cli.app.request_table import RequestTable
from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.api.replies.pictures import PictureShown, ShownPicture, SnapshotSaved
from blink_cli.core.api.requests import MOST_SHOWN_PIXELS, GetPicture, SaveSnapshot
from blink_cli.core.api.still_name import still_kind
from blink_cli.core.errors import BlinkError, StateError
from blink_cli.core.identity.shown_name import shown_name
from blink_cli.core.ids import Did
from blink_cli.core.text.path_text import shown

if TYPE_CHECKING:
    from blink_cli.video.picture import Picture  # numpy
    from blink_cli.video.picture_store import PictureStore, SeenPicture

LOOK_AGAIN_S: Final = 0.1
"""How often one looks whether pictures came to be at all."""


class PictureRequests:
    """Belongs to the event loop."""

    def __init__(
        self,
        own: Did,
        directory: PeerDirectory,
        pictures: "Callable[[], PictureStore | None]",
        *,
        looks_at: Callable[[Did], None],
    ) -> None:
        """Answer.

        Args:
            own: Who this session is.
            directory: Knows everybody by name.
            pictures: Returns what is seen; None while nobody wanted any.
            looks_at: Told whom somebody wants to see.

        """
        self._own = own
        self._directory = directory
        self._pictures = pictures
        self._looks_at = looks_at

    def add_to(self, table: RequestTable) -> None:
        """Carry out the requests about pictures."""
        table.add(GetPicture, self.get_picture)
        table.add(SaveSnapshot, self.save_snapshot)

    async def get_picture(self, request: GetPicture) -> PictureShown:
        """Return the newest picture of a participant once it is newer than the one that is known; without one when the time is over.

        Raises:
            NotFoundError: Nobody, or more than one, is called so.

        """
        did = self._whose(request.peer)
        seen = await self._newer(did, request.than, request.wait_s)
        picture = None
        if seen is not None:
            box = _within_limits(PictureSize(request.width, request.height))
            picture = await asyncio.to_thread(_shown, seen, box)
        store = self._pictures()
        return PictureShown(
            did=did,
            nickname=self._directory.name_of(did),
            visible=store is not None and store.latest(did) is not None,
            picture=picture,
        )

    async def save_snapshot(self, request: SaveSnapshot) -> SnapshotSaved:
        """Write what is seen of a participant, as the file's name says: PNG, JPEG or WebP.

        Raises:
            UsageError: The name says another kind, or none.
            NotFoundError: Nobody, or more than one, is called so.
            StateError: Nothing is to be seen, or the file exists.
            BlinkError: It cannot be written.

        """
        did = self._whose(request.peer)
        path = Path(request.path)
        still_kind(request.path)
        if not request.replace:
            # Asked again when it gets its name; here nobody waits for a picture in vain.
            _refuse_what_exists(path)
        seen = await self._newer(did, 0, request.wait_s)
        if seen is None:
            raise self._nothing_to_see(did)
        await asyncio.to_thread(_save, seen.picture, path, replace=request.replace)
        size = seen.picture.size
        return SnapshotSaved(
            did=did,
            nickname=self._directory.name_of(did),
            path=request.path,
            width=size.width,
            height=size.height,
        )

    def _whose(self, peer: str | None) -> Did:
        if peer is None:
            return self._own
        did = self._directory.resolve_participant(peer)
        self._looks_at(did)
        return did

    async def _newer(self, did: Did, than: int, within_s: float) -> "SeenPicture | None":
        until_s = asyncio.get_running_loop().time() + within_s
        while (left_s := until_s - asyncio.get_running_loop().time()) > 0:
            store = self._pictures()
            if store is not None:
                return await store.newer(did, than, left_s)
            await asyncio.sleep(min(left_s, LOOK_AGAIN_S))
        store = self._pictures()
        newest = None if store is None else store.latest(did)
        return newest if newest is not None and newest.number > than else None

    def _nothing_to_see(self, did: Did) -> StateError:
        if did == self._own:
            return StateError("Your camera is off.", hint="`blink video on` turns it on.")
        name = shown_name(self._directory.name_of(did), did)
        return StateError(
            f"There is nothing to be seen of {name}.", hint="Its camera may be off, or no picture came yet."
        )


def _within_limits(box: PictureSize) -> PictureSize:
    """The same, or smaller in the same shape, so that a reply fits into a line."""
    too_many = box.width * box.height / MOST_SHOWN_PIXELS
    if too_many <= 1:
        return box
    return PictureSize(int(box.width / too_many**0.5), int(box.height / too_many**0.5))


def _shown(seen: "SeenPicture", box: PictureSize) -> ShownPicture:
    from blink_cli.video.frames import to_rgb  # noqa: PLC0415 - FFmpeg, for who looks

    pixels = to_rgb(seen.picture, box)
    height, width, _ = pixels.shape
    source = seen.picture.size
    return ShownPicture(
        number=seen.number,
        width=width,
        height=height,
        pixels=pixels.tobytes(),
        source_width=source.width,
        source_height=source.height,
    )


def _save(picture: "Picture", path: Path, *, replace: bool) -> None:
    from blink_cli.files.writing import appearing, replacing  # noqa: PLC0415 - as above
    from blink_cli.video.still_file import still_of  # noqa: PLC0415 - as above

    content = still_of(picture, path)
    try:
        with (replacing if replace else appearing)(path) as file:
            file.write(content)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        raise BlinkError(
            f"{shown(path)} cannot be written: {error.strerror or error}.", hint="Choose another place."
        ) from error


def _refuse_what_exists(path: Path) -> None:
    if path.is_symlink() or path.exists():
        raise _exists(path)


def _exists(path: Path) -> StateError:
    return StateError(f"{shown(path)} exists.", hint="Choose another name, or say `--replace`.")
