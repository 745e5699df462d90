"""Sends what the gossip hears to the part of the session that it is for."""

from blink_cli.app.call.call_runner import CallRunner
from blink_cli.app.call.peer_directory import PeerDirectory
from blink_cli.app.media.peer_links import PeerLinks
from blink_cli.core.gossip import Acknowledged, ClockRead, MulticastHeard, Noticed, OtherVersion, Told
from blink_cli.core.gossip.paths import PathKind
from blink_cli.core.signaling.signals import Presence


class SignalDispatcher:
    """Made before those it serves, because the gossip is given to them."""

    def __init__(self) -> None:
        self._runner: CallRunner | None = None
        self._directory: PeerDirectory | None = None
        self._links: PeerLinks | None = None

    def join(self, runner: CallRunner, directory: PeerDirectory, links: PeerLinks) -> None:
        """Say who hears; before the gossip starts."""
        self._runner = runner
        self._links = links
        self._directory = directory

    def broker_changed(self, works: bool) -> None:  # noqa: FBT001 - a callback's one value
        """A signal server can be used from now on, or none can."""
        assert self._directory is not None, "joined before the gossip starts"
        self._directory.broker_changed(works=works)

    def hear(self, effect: Told) -> None:
        """Called by the gossip's driver."""
        assert self._runner is not None, "joined before the gossip starts"
        assert self._directory is not None, "joined before the gossip starts"
        assert self._links is not None, "joined before the gossip starts"
        if isinstance(effect, Acknowledged):
            self._directory.acknowledged(effect.peer)
            self._runner.acknowledged(effect.peer, effect.signal)
            return
        if isinstance(effect, ClockRead):
            self._directory.clock_read(effect)
            return
        if isinstance(effect, Noticed):
            self._directory.noticed(effect.peer, effect.nickname, effect.source)
            return
        if isinstance(effect, OtherVersion):
            self._directory.other_version(effect)
            return
        if effect.path.kind in (PathKind.LOOPBACK, PathKind.LAN):
            self._directory.heard_by_multicast(effect.sender, effect.path)
        if isinstance(effect, MulticastHeard):
            return
        if not effect.path.overheard:  # else it is the name of a connection to a broker, and no address
            self._links.heard_from(effect.sender, effect.source[0])
        if isinstance(effect.signal, Presence):
            self._directory.presence(
                effect.sender,
                effect.signal,
                effect.source,
                expected=effect.expected,
                overheard=effect.path.overheard,
            )
            return
        self._directory.heard(effect.sender, expected=effect.expected, overheard=effect.path.overheard)
        self._runner.signal(effect.sender, effect.signal, effect.call_id, effect.key_id)
