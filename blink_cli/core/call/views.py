"""Frozen views of what the machine knows (snapshot.py has the values)."""

from typing import Final

from blink_cli.core.call.active_call import ActiveCall
from blink_cli.core.call.facts import LinkState, Topology
from blink_cli.core.call.membership import CallRecord
from blink_cli.core.call.shown_states import OwnState
from blink_cli.core.call.snapshot import CallState, CallView, ParticipantView, PendingView
from blink_cli.core.call.transitions import Phase
from blink_cli.core.ids import Did

_SHOWN: Final = {
    Phase.OFFERING: CallState.OFFERING,
    Phase.JOINING: CallState.JOINING,
    Phase.IN_CALL: CallState.IN_CALL,
}


def view_current(active: ActiveCall, state: OwnState, now: float) -> CallView:
    """The call that this session is in."""
    call = active.call
    return CallView(
        call_id=call.call_id,
        state=_SHOWN[call.phase],
        caller=call.caller,
        since_s=active.since_s,
        since_wall_ms=active.since_wall_ms,
        incarnation=active.incarnation,
        participants=tuple(
            _view_self(active, state, now) if did == call.own else _view_other(active, did)
            for did in call.participants
        ),
        topology=Topology.SFU if active.room.is_in else Topology.MESH,
        sfu=active.room.url if active.room.is_in else None,
    )


def view_pending(call: CallRecord) -> PendingView:
    """A call that it could join."""
    return PendingView(
        call_id=call.call_id,
        caller=call.caller,
        nickname=call.nickname,
        participants=call.participants,
        joined=tuple(member.did for member in call.present),
        rejected=call.phase is Phase.REJECTED,
        left=call.phase is Phase.LEFT,
        since_s=call.began_at,
    )


def _view_self(active: ActiveCall, state: OwnState, now: float) -> ParticipantView:
    return ParticipantView(
        did=active.call.own,
        nickname=active.nickname,
        link=LinkState.SELF,
        epoch=0,
        present=True,
        declined=False,
        delivered=True,
        rings=False,
        busy=False,
        muted=state.muted,
        deafened=state.deafened,
        recording=state.recording,
        video=state.video,
        incarnation=active.incarnation,
        hears=active.hears(now),
    )


def _view_other(active: ActiveCall, did: Did) -> ParticipantView:
    member, link = active.call.members[did], active.links[did]
    return ParticipantView(
        did=did,
        nickname=member.nickname,
        link=link.state,
        epoch=link.epoch,
        present=member.present,
        declined=member.declined,
        busy=member.busy,
        delivered=member.delivered,
        rings=member.delivered and not (member.present or member.declined or member.incarnation),
        muted=member.present and member.muted,
        deafened=member.present and member.deafened,
        recording=member.present and member.recording,
        video=member.present and member.video,
        incarnation=member.incarnation,
        hears=member.hears,
    )
