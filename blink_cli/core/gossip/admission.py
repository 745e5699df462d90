"""Who may cost us public-key operations, and how many a second.

    sealed with the group key of an open call     members' budget       nobody else can spend it
    from an address that sent something valid     proven budget
    from any other address                        strangers' budget     small

so that a flood, even of validly signed messages, even from spoofed addresses, leaves the others their share.
"""

from collections import OrderedDict

from blink_cli.core.gossip.budget import SharedBudget
from blink_cli.core.gossip.paths import Address
from blink_cli.core.gossip.settings import GossipSettings


class Admission:
    """Budgets of one receiver."""

    def __init__(self, settings: GossipSettings) -> None:
        """Begin with full budgets and no proven address."""
        self._strangers = SharedBudget(
            per_s=settings.stranger_messages_per_s,
            per_source_per_s=settings.stranger_messages_per_source_per_s,
            sources=settings.sources,
        )
        self._proven = SharedBudget(
            per_s=settings.proven_messages_per_s,
            per_source_per_s=settings.stranger_messages_per_source_per_s,
            sources=settings.sources,
        )
        self._members = SharedBudget(
            per_s=settings.member_messages_per_s,
            per_source_per_s=settings.member_messages_per_source_per_s,
            sources=settings.sources,
        )
        self._proven_sources: OrderedDict[Address, None] = OrderedDict()
        self._max_sources = settings.sources

    def admit_member(self, source: Address, now_s: float) -> bool:
        """Whether a message that opened with a group key may be looked at further."""
        return self._members.take(source, now_s)

    def admit(self, source: Address, now_s: float) -> bool:
        """Whether a message to this session's own topic may be opened."""
        if source in self._proven_sources:
            return self._proven.take(source, now_s)
        return self._strangers.take(source, now_s)

    def prove(self, source: Address) -> None:
        """Something new and validly signed came from there."""
        self._proven_sources[source] = None
        self._proven_sources.move_to_end(source)
        if len(self._proven_sources) > self._max_sources:
            self._proven_sources.popitem(last=False)
