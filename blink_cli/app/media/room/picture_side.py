"""What a stay in a room asks of the session's pictures."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from blink_cli.core.ids import Did

if TYPE_CHECKING:
    from blink_cli.net.link.link_video import LinkVideo
    from blink_cli.net.link.video_doors import VideoDoors


class PictureSide(Protocol):
    """Belongs to the event loop."""

    @property
    def shows(self) -> bool:
        """Whether this session's camera is on."""

    @property
    def shown(self) -> frozenset[Did]:
        """Who says that its camera is on, and whose pictures can be taken now. Goes through all participants."""

    @property
    def viewed(self) -> frozenset[Did]:
        """Whom somebody looks at here, heard or not; a few at most."""

    def show_in_room(self, doors: "VideoDoors", seal: Callable[[bytes], bytes]) -> "LinkVideo":
        """Make what carries our pictures to a room."""

    def see_in_room(
        self, did: Did, doors: "VideoDoors", unseal: Callable[[bytes], bytes | None]
    ) -> "LinkVideo":
        """Make what brings a participant's pictures from a room."""

    def unseen_in_room(self, did: Did) -> None:
        """They come no more."""

    def room_over(self) -> None:
        """Ours go there no more."""
