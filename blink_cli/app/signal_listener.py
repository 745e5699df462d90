"""Sends what the gossip hears to the part of the session that it is for."""

from blink_cli.app.call_runner import CallRunner
from blink_cli.app.neighbourhood import Neighbourhood
from blink_cli.core.gossip import Acknowledged, Received
from blink_cli.core.signals import Presence


class SignalListener:
    """Made before those it serves, because the gossip is given to them."""

    def __init__(self) -> None:
        self._runner: CallRunner | None = None
        self._neighbourhood: Neighbourhood | None = None

    def join(self, runner: CallRunner, neighbourhood: Neighbourhood) -> None:
        """Say who hears; before the gossip starts."""
        self._runner = runner
        self._neighbourhood = neighbourhood

    def hear(self, effect: Received | Acknowledged) -> None:
        """Called by the gossip's driver."""
        assert self._runner is not None, "joined before the gossip starts"
        assert self._neighbourhood is not None, "joined before the gossip starts"
        if isinstance(effect, Acknowledged):
            self._neighbourhood.heard(effect.peer)
            self._runner.acknowledged(effect.peer, effect.signal)
            return
        if isinstance(effect.signal, Presence):
            self._neighbourhood.presence(effect.sender, effect.signal, effect.source)
            return
        self._neighbourhood.heard(effect.sender)
        self._runner.signal(effect.sender, effect.signal, effect.call_id)
