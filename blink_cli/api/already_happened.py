"""What can be waited for too late, so that a script need not be faster than its session: a call that rings, and one that the session is in."""

from blink_cli.core.api.events import CallJoined, Event, IncomingCall
from blink_cli.core.api.replies.status import Status


def already(name: str, status: Status) -> Event | None:
    """Return the event that a snapshot shows to have happened, for those that can be waited for too late."""
    if name == "incoming_call":
        for pending in status.pending_calls:
            if pending.rings:
                people = tuple(person.did for person in pending.participants)
                caller = pending.caller
                return IncomingCall(
                    call_id=pending.id, caller=caller.did, nickname=caller.nickname, participants=people
                )
    if name == "call_joined" and status.call is not None:
        return CallJoined(call_id=status.call.id)
    return None
