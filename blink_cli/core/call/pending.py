"""The calls that this session could join, and which one goes when there are too many."""

from collections.abc import Iterable

from blink_cli.core.call.membership import KnownCall
from blink_cli.core.call.settings import CallSettings
from blink_cli.core.call.transitions import Phase
from blink_cli.core.names import Did

CURRENT = (Phase.OFFERING, Phase.JOINING, Phase.IN_CALL)
LISTED = (Phase.RINGING, Phase.REJECTED, Phase.LEFT)
WAITING = (*LISTED, Phase.LEAVING)


def crowded_out(
    calls: Iterable[KnownCall], caller: Did, settings: CallSettings
) -> tuple[bool, KnownCall | None]:
    """Whether an offer by `caller` may come in, and which call must go for it.

    When this caller has its share, its oldest call goes that was left or rejected, else its oldest. When the list is full,
    of all the oldest goes that was left or rejected, else the oldest in which nobody was ever heard. When everything in it rings
    and has somebody in it, the newcomer is refused.
    """
    waiting = [call for call in calls if call.phase in WAITING]
    of_caller = [call for call in waiting if call.caller == caller]
    if len(of_caller) >= settings.max_pending_per_caller:
        return True, _oldest_decided(of_caller) or _oldest(of_caller)
    if len(waiting) < settings.max_pending:
        return True, None
    going = _oldest_decided(waiting) or _oldest(call for call in waiting if not call.visited)
    return going is not None, going


def _oldest_decided(calls: Iterable[KnownCall]) -> KnownCall | None:
    return _oldest(call for call in calls if call.phase is not Phase.RINGING)


def _oldest(calls: Iterable[KnownCall]) -> KnownCall | None:
    return min(calls, key=lambda call: call.began_at, default=None)
