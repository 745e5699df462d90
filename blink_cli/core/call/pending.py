"""The calls that this session could join, and which one goes when there are too many.

Each class of callers has places of its own (core/signaling/sender_class.py): strangers, however many, do not keep a contact from ringing.
"""

from collections.abc import Callable, Iterable

from blink_cli.core.call.membership import CallRecord
from blink_cli.core.call.settings import CallSettings
from blink_cli.core.call.transitions import Phase
from blink_cli.core.ids import Did
from blink_cli.core.signaling.sender_class import SenderClass

CURRENT = (Phase.OFFERING, Phase.JOINING, Phase.IN_CALL)
LISTED = (Phase.RINGING, Phase.REJECTED, Phase.LEFT)
WAITING = (*LISTED, Phase.LEAVING)


def crowded_out(
    calls: Iterable[CallRecord], caller: Did, settings: CallSettings, class_of: Callable[[Did], SenderClass]
) -> tuple[bool, CallRecord | None]:
    """Whether an offer by `caller` may come in, and which call must go for it.

    When this caller has its share, its oldest call goes that was left or rejected, else its oldest. When the places of its class are
    taken, of these the oldest goes that was left or rejected, else the oldest in which nobody was ever heard. When everything in them rings
    and has somebody in it, the newcomer is refused.
    """
    waiting = [call for call in calls if call.phase in WAITING]
    of_caller = [call for call in waiting if call.caller == caller]
    if len(of_caller) >= settings.max_pending_per_caller:
        return True, _oldest_decided(of_caller) or _oldest(of_caller)
    caller_class = class_of(caller)
    of_class = [call for call in waiting if class_of(call.caller) == caller_class]
    if len(of_class) < settings.max_pending_of(caller_class):
        return True, None
    going = _oldest_decided(of_class) or _oldest(call for call in of_class if not call.visited)
    return going is not None, going


def _oldest_decided(calls: Iterable[CallRecord]) -> CallRecord | None:
    return _oldest(call for call in calls if call.phase is not Phase.RINGING)


def _oldest(calls: Iterable[CallRecord]) -> CallRecord | None:
    return min(calls, key=lambda call: call.began_at, default=None)
