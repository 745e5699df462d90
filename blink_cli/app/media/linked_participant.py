"""A participant to whom there is, or was, a link: the link of now with its epoch, and what is remembered of those before it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from blink_cli.app.media.link_totals import LinkTotals
from blink_cli.core.ids import Did
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.net.link.link_events import LinkEvents
from blink_cli.net.link_settings import AddressesTried, LinkState

if TYPE_CHECKING:  # aiortc: see `LinkSet`
    from blink_cli.net.ice.ice_connection import Way
    from blink_cli.net.link.media_link import MediaLink


@dataclass(slots=True)
class PathSearch:
    """Where a way to a peer was looked for, and in vain, since its link stood last."""

    since_s: float | None = None
    """When both sides were described first."""

    tried_local: frozenset[str] = frozenset()
    tried_remote: frozenset[str] = frozenset()
    """Between which addresses no way was found."""

    no_path: AddressesTried | None = None
    """When no way was found for some seconds: where it was looked for."""


class LinkedParticipant(LinkEvents):
    """Made when the call first needs a link to this peer, and kept until the call ends. Belongs to the event loop.

    It is itself what its link tells. Who carries media over the link extends `link_up`, `link_down` and `forget_line`.
    """

    __slots__ = ("connected", "died_on", "epoch", "link", "past", "peer", "search", "when_link_changes")

    def __init__(self, peer: Did) -> None:
        """Have no link yet."""
        self.peer = peer
        self.link: MediaLink | None = None
        self.epoch = 0
        self.connected = False
        self.past = LinkTotals()
        self.search = PathSearch()
        self.died_on: Way | None = None
        """The way of the last link that stood."""

        self.when_link_changes: Callable[[LinkedParticipant, LinkState], None] | None = None
        """Told the states of each link, by whoever keeps the links."""

    @property
    def totals(self) -> LinkTotals:
        """Figures of all links up to now."""
        return self.past.with_link(self.link)

    def forget_line(self) -> None:
        """Begin anew with what is known of the network path: another link may take another one."""

    def link_up(self, media: MediaFormat, now_s: float) -> None:
        """The link stands, and this was agreed on."""
        del media, now_s
        self.connected = True
        self.search = PathSearch()

    def link_down(self) -> "MediaLink | None":
        """Have no link any more. Returns the one that is to be closed; it tells nothing from now on."""
        link, self.link = self.link, None
        was_connected, self.connected = self.connected, False
        if was_connected:
            self.died_on = None if link is None else link.way
        elif link is not None and link.way is None and link.addresses_tried is not None:
            self.search.tried_local |= link.addresses_tried.used
            self.search.tried_remote |= frozenset(link.addresses_tried.theirs)
        if link is not None:
            link.silence()
            self.past.add(link)
        return link

    @override
    def state_changed(self, state: LinkState) -> None:
        """Let whoever keeps the links decide."""
        if self.when_link_changes is not None:
            self.when_link_changes(self, state)
