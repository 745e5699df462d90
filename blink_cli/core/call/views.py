"""Frozen views of what the machine knows (snapshot.py has the values)."""

from typing import Final

from blink_cli.core.call.conversation import Conversation, OwnState
from blink_cli.core.call.membership import KnownCall
from blink_cli.core.call.snapshot import CallState, CallView, ParticipantView, PendingView
from blink_cli.core.call.transitions import Phase
from blink_cli.core.events import LinkState
from blink_cli.core.names import Did

_SHOWN: Final = {
    Phase.OFFERING: CallState.OFFERING,
    Phase.JOINING: CallState.JOINING,
    Phase.IN_CALL: CallState.IN_CALL,
}


def view_current(talk: Conversation, state: OwnState) -> CallView:
    """The call that this session is in."""
    call = talk.call
    return CallView(
        call_id=call.call_id,
        state=_SHOWN[call.phase],
        caller=call.caller,
        since_s=talk.since_s,
        since_wall_ms=talk.since_wall_ms,
        instance=talk.instance,
        participants=tuple(
            _view_self(talk, state) if did == call.own else _view_other(talk, did)
            for did in call.participants
        ),
    )


def view_pending(call: KnownCall) -> PendingView:
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


def _view_self(talk: Conversation, state: OwnState) -> ParticipantView:
    return ParticipantView(
        did=talk.call.own,
        nickname=talk.nickname,
        link=LinkState.SELF,
        epoch=0,
        present=True,
        declined=False,
        delivered=True,
        busy=False,
        muted=state.muted,
        deafened=state.deafened,
        recording=state.recording,
        instance=talk.instance,
        hears=talk.hears,
    )


def _view_other(talk: Conversation, did: Did) -> ParticipantView:
    member, link = talk.call.members[did], talk.links[did]
    return ParticipantView(
        did=did,
        nickname=member.nickname,
        link=link.state,
        epoch=link.epoch,
        present=member.present,
        declined=member.declined,
        busy=member.busy,
        delivered=member.delivered,
        muted=member.present and member.muted,
        deafened=member.present and member.deafened,
        recording=member.present and member.recording,
        instance=member.instance,
        hears=member.hears,
    )
