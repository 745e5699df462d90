"""Which signals were taken: the same may come again in another message, on another channel or sealed anew."""

from blink_cli.core.endpoint import endpoint_text
from blink_cli.core.gossip.clocks import KeptMessage
from blink_cli.core.gossip.recent import RecentMap
from blink_cli.core.signaling.signals import Presence


class TakenSignals:
    """The last ones. A signal that is to be acknowledged counts as taken when it is, a presence when it comes."""

    def __init__(self, capacity: int) -> None:
        """Have taken none; remembers at least the last `capacity`."""
        self._taken: RecentMap[bytes, bool] = RecentMap(capacity)

    def acknowledged(self, sender: bytes, token: bytes) -> None:
        """The signal of this sender that asks for this token was taken."""
        self._taken.set(sender + token, value=True)

    def is_twin(self, message: KeptMessage) -> bool:
        """Whether this very signal was taken before."""
        opened = message.opened
        if isinstance(opened.signal, Presence):
            # Said on two channels it has one date. Two sessions of one identity have two addresses.
            source = endpoint_text(message.arrival.source).encode()
            said = opened.sender + opened.sent_ms.to_bytes(8, "big") + source
            said += bytes((opened.signal.reply_wanted,)) + opened.signal.nickname.encode()
            known = said in self._taken
            self._taken.set(said, value=True)
            return known
        return bool(opened.ack_token) and opened.sender + opened.ack_token in self._taken
