"""Offers that were received and are acknowledged only when the call rings: until then their sender goes on repeating them."""

from blink_cli.core.gossip.clocks import KeptMessage
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.ids import CallId, Did


class UnconfirmedOffers:
    """The newest of each call and caller; when there are too many, the oldest is forgotten."""

    def __init__(self, settings: GossipSettings) -> None:
        """Know of none."""
        self._settings = settings
        self._offers: dict[tuple[Did, CallId], KeptMessage] = {}

    def __len__(self) -> int:
        return len(self._offers)

    def keep(self, caller: Did, call_id: CallId, offer: KeptMessage) -> bool:
        """Keep an offer until it is confirmed. Returns whether it is to be looked at: one that was not confirmed is so again after a while."""
        known = self._offers.get((caller, call_id))
        if known is not None and known.opened.ack_token == offer.opened.ack_token:
            later_s = (offer.opened.sent_ms - known.opened.sent_ms) / 1000
            if abs(later_s) < self._settings.offer_looked_at_again_after_s:
                return False
        elif len(self._offers) >= self._settings.max_offers_unconfirmed:
            del self._offers[next(iter(self._offers))]
        self._offers[caller, call_id] = offer
        return True

    def confirm(self, caller: Did, call_id: CallId) -> KeptMessage | None:
        """It rings. Returns the offer, which is to be acknowledged now; None when none is kept."""
        return self._offers.pop((caller, call_id), None)
