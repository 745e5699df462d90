"""Why something that came in was ignored, and how often: a hostile or lagging neighbour shows in the counts."""

from enum import StrEnum


class Ignored(StrEnum):
    """Reasons, as `status` and tests name them."""

    UNKNOWN_CALL = "unknown_call"
    NOT_INVITED = "not_invited"
    NOT_IN_THIS_CALL = "not_in_this_call"
    """A description or redial for a call that this session is not in."""
    WRONG_TOPIC = "wrong_topic"
    """It names another call than the one whose key it came by, or came the wrong way."""
    STALE = "stale"
    """Of an earlier life, an older epoch, or already known."""
    UNFIT_OFFER = "unfit_offer"
    """Does not name us or its sender, names somebody twice, or too many."""
    CHANGED_OFFER = "changed_offer"
    """A second offer of a call with another key or other participants."""
    WITHDRAWN_OFFER = "withdrawn_offer"
    """Its Cancel came first."""
    LIST_FULL = "list_full"
    NOT_THE_CALLER = "not_the_caller"
    """A Cancel by somebody else."""
    OLD_LINK = "old_link"
    """The media layer reports about a link that this session has given up."""
    STOPPED = "stopped"
    """After shutdown."""
