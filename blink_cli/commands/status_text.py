"""The session at a glance, as lines of text."""

from collections.abc import Iterator

from blink_cli.commands.names_shown import (
    flags_of,
    pending_state,
    people_in,
    printable,
    short_call,
    shown_name,
)
from blink_cli.core.replies import Participant, Status


def status_lines(status: Status) -> Iterator[str]:
    """Say what the session is and does, in lines."""
    yield f"{printable(status.nickname)} ({status.did}), profile {status.profile}, process {status.pid}"
    yield f"  input   {status.input}{', muted' if status.muted else ''}"
    yield f"  output  {status.output}{', deafened' if status.deafened else ''}"
    if status.call is None:
        yield "  not in a call"
    else:
        yield f"  call    {short_call(status.call.id)}, {status.call.state.replace('_', ' ')}, since {status.call.since}"
        for participant in status.call.participants:
            if not participant.self:
                yield f"          {participant_text(participant)}"
    for pending in status.pending_calls:
        caller = shown_name(pending.caller.nickname, pending.caller.did)
        yield f"  {pending_state(pending):8} {short_call(pending.id)} from {caller}, in it: {people_in(pending)}"


def participant_text(participant: Participant) -> str:
    """Say how one participant is, in a line."""
    words = [participant.link.value]
    if participant.talking:
        words.append("talks")
    if flags := flags_of(participant):
        words.append(flags)
    return f"{shown_name(participant.nickname, participant.did)}: {', '.join(words)}"
