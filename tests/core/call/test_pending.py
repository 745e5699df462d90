"""Which call goes when there are too many."""

from msgspec.structs import replace

from blink_cli.core.call.membership import CallRecord
from blink_cli.core.call.pending import crowded_out
from blink_cli.core.call.settings import LAN
from blink_cli.core.call.transitions import Trigger
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.sender_class import SenderClass

OWN, CALLER, OTHER = Did("did:own"), Did("did:caller"), Did("did:other")
FRIEND = Did("did:friend")
TIGHT = replace(LAN, max_pending=3, max_pending_of_strangers=3, max_pending_per_caller=2)


def class_of(did: Did) -> SenderClass:
    return SenderClass.CONTACT if did == FRIEND else SenderClass.STRANGER


def _call(number: int, caller: Did = CALLER, *turns: Trigger, visited: bool = False) -> CallRecord:
    call = CallRecord(
        call_id=CallId(f"{number:032x}"),
        group_key=bytes(32),
        participants=(caller, OWN),
        caller=caller,
        nickname="",
        began_at=float(number),
        own=OWN,
        hearsay_s=LAN.hearsay_s,
    )
    for turn in (Trigger.OFFER_ARRIVES, *turns):
        call.turn(turn)
    call.visited = visited
    return call


def test_where_there_is_room_nobody_goes() -> None:
    assert crowded_out([_call(1)], CALLER, TIGHT, class_of) == (True, None)


def test_a_callers_own_decided_call_goes_before_its_ringing_one() -> None:
    calls = [_call(1), _call(2, CALLER, Trigger.WE_REJECT)]
    assert crowded_out(calls, CALLER, TIGHT, class_of) == (True, calls[1])


def test_else_its_oldest_goes() -> None:
    calls = [_call(2), _call(1)]
    assert crowded_out(calls, CALLER, TIGHT, class_of) == (True, calls[1])


def test_in_a_full_list_a_decided_call_goes_first() -> None:
    calls = [_call(1, OTHER), _call(2, OTHER, Trigger.WE_REJECT, visited=True), _call(3)]
    assert crowded_out(calls, Did("did:new"), TIGHT, class_of) == (True, calls[1])


def test_then_one_in_which_nobody_was_heard() -> None:
    calls = [_call(1, OTHER, visited=True), _call(2, OTHER), _call(3)]
    assert crowded_out(calls, Did("did:new"), TIGHT, class_of) == (True, calls[1])


def test_a_call_that_somebody_is_in_is_never_displaced_by_a_stranger() -> None:
    calls = [_call(number, Did(f"did:{number}"), visited=True) for number in range(3)]
    assert crowded_out(calls, Did("did:new"), TIGHT, class_of) == (False, None)


def test_the_current_call_takes_no_place() -> None:
    calls = [_call(1), _call(2, CALLER, Trigger.WE_ACCEPT)]
    assert crowded_out(calls, CALLER, TIGHT, class_of) == (True, None)


def test_strangers_calls_take_no_place_of_a_contact_nor_the_other_way_round() -> None:
    strangers = [_call(number, Did(f"did:{number}"), visited=True) for number in range(3)]
    assert crowded_out(strangers, FRIEND, TIGHT, class_of) == (True, None)
    assert crowded_out([*strangers, _call(9, FRIEND)], Did("did:new"), TIGHT, class_of) == (False, None)
