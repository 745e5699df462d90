"""Events as sentences, for those who read and do not parse."""

from collections.abc import Mapping
from typing import assert_never

from blink_cli.commands.names_shown import name_of, nicknames_of, printable, short_call
from blink_cli.core import events as e
from blink_cli.core.names import Did
from blink_cli.core.replies import Status

END_REASONS = {
    e.EndReason.LEFT: "you left",
    e.EndReason.WITHDRAWN: "the caller took it back",
    e.EndReason.EMPTY: "everyone else left",
    e.EndReason.DECLINED: "everyone declined",
    e.EndReason.CROWDED_OUT: "newer calls took its place in the list",
    e.EndReason.JOINED_ELSEWHERE: "another session of yours took it",
}

PROBLEM_ENDS = {
    e.StreamProblem.NOTHING_RECEIVED: "audio of {who} comes again",
    e.StreamProblem.NOTHING_SENT: "audio goes out again",
    e.StreamProblem.CLIPPING: "your microphone does not distort any more",
    e.StreamProblem.DIGITAL_SILENCE: "the microphone is heard again",
    e.StreamProblem.DEVICE_STALLED: "the audio device moves again",
}


class Narrator:
    """Tells events to people: remembers who is called what, so that a DID is never all that is shown."""

    def __init__(self) -> None:
        self._names: dict[Did, str] = {}
        self._me: Did | None = None

    @property
    def names(self) -> Mapping[Did, str]:
        """What the DIDs heard of so far are called."""
        return self._names

    def learn(self, status: Status) -> None:
        """Take the names of a snapshot."""
        self._me = status.did
        self._names.update(nicknames_of(status))

    def tell(self, event: e.Event) -> str:
        """Return the sentence, without a full stop, and remember the names in the event."""
        nickname, did = (
            getattr(event, "nickname", None),
            getattr(event, "did", None) or getattr(event, "caller", None),
        )
        if nickname and did:
            self._names[did] = nickname
        return self._sentence(event)

    def _who(self, did: Did) -> str:
        return "you" if did == self._me else name_of(did, self._names)

    def _sentence(self, event: e.Event) -> str:  # noqa: C901, PLR0911, PLR0912 - one line for each event; a table could not name its fields
        match event:
            case e.PeerAppeared(did=did):
                return f"{self._who(did)} is here"
            case e.PeerVanished(did=did):
                return f"{self._who(did)} is gone"
            case e.IncomingCall(caller=caller, call_id=call_id, participants=participants):
                others = [self._who(did) for did in participants if did not in {caller, self._me}]
                along = f", with {', '.join(others)}" if others else ""
                return f"{self._who(caller)} calls{along}: accept {short_call(call_id)}"
            case e.OfferDelivered(did=did):
                return f"it rings at {self._who(did)}"
            case e.CallCancelled(call_id=call_id, reason=reason):
                return f"call {short_call(call_id)} is over: {END_REASONS[reason]}"
            case e.CallJoined(call_id=call_id):
                return f"in call {short_call(call_id)}"
            case e.CallTerminated(call_id=call_id, reason=reason):
                return f"out of call {short_call(call_id)}: {END_REASONS[reason]}"
            case e.ParticipantJoined(did=did):
                return f"{self._who(did)} joined"
            case e.ParticipantBusy(did=did):
                return f"{self._who(did)} is in another call; it rings there all the same"
            case e.ParticipantDeclined(did=did):
                return f"{self._who(did)} declined"
            case e.ParticipantLeft(did=did, reason=reason):
                return f"{self._who(did)} {'left' if reason is e.LeaveReason.LEFT else 'was lost'}"
            case e.ParticipantStateChanged(did=did, muted=muted, deafened=deafened, recording=recording):
                shown = [
                    w for w, on in (("muted", muted), ("deafened", deafened), ("recording", recording)) if on
                ]
                return f"{self._who(did)}: {', '.join(shown) or 'not muted, not deafened, not recording'}"
            case e.LinkChanged(did=did, link=link):
                return f"audio with {self._who(did)}: {link}"
            case e.TalkingStarted(did=did):
                return f"{self._who(did)} began to talk"
            case e.TalkingStopped(did=did):
                return f"{self._who(did)} stopped talking"
            case e.TalkingWhileMuted():
                return "you talk and are muted: unmute"
            case e.DeviceChanged(direction=direction, device=device):
                return f"the {direction} is now {printable(device)}"
            case e.DeviceLost(direction=direction, device=device, reason=reason, replacement=replacement):
                instead = (
                    f"{printable(replacement)} takes its place" if replacement else "nothing takes its place"
                )
                return f"the {direction} {printable(device)} failed ({printable(reason)}); {instead}"
            case e.StreamFailed(problem=e.StreamProblem.CLIPPING, reason=reason):
                return f"you are too loud: {printable(reason)}"
            case e.StreamFailed(did=did, reason=reason) if did == self._me:
                return f"trouble with your audio: {printable(reason)}"
            case e.StreamFailed(did=did, reason=reason):
                return f"no audio with {self._who(did)}: {printable(reason)}"
            case e.StreamRestored(did=did, problem=problem):
                return PROBLEM_ENDS[problem].format(who=self._who(did))
            case e.AudioDegraded(did=did, reason=reason, direction=e.StreamDirection.OUTBOUND):
                return f"{self._who(did)} hears you badly: {printable(reason)}"
            case e.AudioDegraded(did=did, reason=reason):
                return f"{self._who(did)} sounds bad: {printable(reason)}"
            case e.AudioRecovered(did=did, direction=e.StreamDirection.OUTBOUND):
                return f"{self._who(did)} hears you well again"
            case e.AudioRecovered(did=did):
                return f"{self._who(did)} sounds well again"
            case e.RtpLogStarted(path=path, call_id=call_id):
                return f"packets of call {short_call(call_id)} are logged to {printable(path)}"
            case e.RtpLogRowsLost(path=path, rows_lost=rows_lost):
                return f"the log {printable(path)} lacks {rows_lost} rows so far: the disk is too slow"
            case e.RtpLogStopped(path=path, reason=reason, rows=rows, rows_lost=rows_lost):
                lost = f", {rows_lost} could not be written" if rows_lost else ""
                return f"the log {printable(path)} is closed ({printable(reason)}): {rows} rows{lost}"
            case e.RecordingStarted(did=did, path=path):
                return f"{self._who(did)} started recording{f' to {printable(path)}' if path else ''}"
            case e.RecordingStopped(did=did, reason=reason, failed=True):
                return f"{self._who(did)} cannot record any more: {printable(reason)}"
            case e.RecordingStopped(did=did, reason=reason):
                why = "" if reason == "stopped" else f": {printable(reason)}"
                return f"{self._who(did)} stopped recording{why}"
            case e.IceServerFailed(url=url, reason=reason):
                return f"the server {printable(url)} cannot be used: {printable(reason)}"
            case e.IceServerRecovered(url=url):
                return f"the server {printable(url)} can be used again"
            case e.EventsMissed(count=count):
                return f"{count} events were dropped: they came faster than they were read"
            case e.SessionEnding():
                return "the session ends"
            case _:
                assert_never(event)
