"""Who may cost us public-key operations, and how many a second: by whose channel it is, which is known before anything is opened.

    channel of a contact                          contacts' budget      each has a share, whatever address it comes from
    channel of somebody invited                   invited' budget       the same
    channel of a peer that was heard, or asked    heard peers' budget   the same, smaller
    channel of a whole call                       members' budget       by whom a message claims to be of: nobody but a member has the key
    ... but of a date that proves nothing         doubtful budget       small: a recording of the call spends no more than this
    public channel                                strangers' budget     small; by address, since there is nothing else

so that a flood, even of validly signed messages, even from spoofed addresses, leaves the others their share. Behind a broker all strangers
have one address: they share what strangers have.
"""

from blink_cli.core.gossip.budget import SharedBudget
from blink_cli.core.gossip.paths import Address
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.signaling.sender_class import SenderClass


class Admission:
    """Budgets of one receiver."""

    def __init__(self, settings: GossipSettings) -> None:
        """Begin with full budgets."""

        def shared(per_s: float, per_source_per_s: float) -> SharedBudget:
            return SharedBudget(per_s=per_s, per_source_per_s=per_source_per_s, sources=settings.sources)

        per_stranger = settings.stranger_messages_per_source_per_s
        per_member = settings.member_messages_per_source_per_s
        self._strangers = shared(settings.stranger_messages_per_s, per_stranger)
        self._of_class = {
            SenderClass.HEARD: shared(settings.heard_messages_per_s, per_stranger),
            SenderClass.INVITED: shared(settings.member_messages_per_s, per_member),
            SenderClass.CONTACT: shared(settings.member_messages_per_s, per_member),
        }
        self._members = shared(settings.member_messages_per_s, per_member)
        self._doubtful = shared(settings.doubtful_messages_per_s, per_stranger)

    def admit_member(self, sender: bytes, source: Address, now_s: float) -> bool:
        """Whether a message that opened with a group key may be verified.

        `sender` is a claim of somebody who has the key. From where it comes counts too, so that one participant who lies, and does
        not spoof addresses, spends nothing of another.
        """
        return self._members.take((sender, source), now_s)

    def admit_doubtful(self, sender: bytes, source: Address, now_s: float) -> bool:
        """Whether one may be verified that will not be believed before its sender has proved its clock."""
        return self._doubtful.take((sender, source), now_s)

    def admit_peer(self, peer: bytes, sender_class: SenderClass, now_s: float) -> bool:
        """Whether a message on this peer's own channel may be opened."""
        return self._of_class[sender_class].take(peer, now_s)

    def admit_stranger(self, source: Address, now_s: float) -> bool:
        """Whether a message on a public channel may be opened."""
        return self._strangers.take(source, now_s)
