"""Events as sentences, for those who read and do not parse."""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from blink_cli.commands.codec_words import codec_text
from blink_cli.commands.impairment_text import change_sentence
from blink_cli.commands.names_shown import (
    CONTACT,
    DEVICE_WORDS,
    clause,
    counted,
    described_device,
    duration_text,
    name_of,
    nicknames_of,
    other_version,
    refused_in_room,
    short_call,
)
from blink_cli.commands.processing_text import unavailable
from blink_cli.core.analysis.culprit import Culprit
from blink_cli.core.api import events as e
from blink_cli.core.api.replies.status import Status
from blink_cli.core.identity.shown_name import printable
from blink_cli.core.ids import Did
from blink_cli.core.presence.addresses_told import addresses_tried
from blink_cli.core.text.clock_words import clock_sentence
from blink_cli.core.text.path_text import shown

END_REASONS = {
    e.EndReason.LEFT: "you left",
    e.EndReason.WITHDRAWN: "the caller withdrew it",
    e.EndReason.EMPTY: "everyone else left",
    e.EndReason.DECLINED: "everyone declined",
    e.EndReason.CROWDED_OUT: "newer calls took its place in the list",
    e.EndReason.JOINED_ELSEWHERE: "another session of yours joined it",
}

STATE_ENDS = {"muted": "unmuted", "deafened": "undeafened"}
"""What a participant shows to all, but for its recording, and how its end is told."""

PROBLEM_ENDS = {
    e.StreamProblem.NOTHING_RECEIVED: "audio from {who} arrives again",
    e.StreamProblem.NOTHING_SENT: "your audio is sent again",
    e.StreamProblem.BROKEN_STREAM: "the stream of {who} is whole again",
    e.StreamProblem.CLIPPING: "your microphone does not distort any more",
    e.StreamProblem.DIGITAL_SILENCE: "the microphone delivers sound again",
    e.StreamProblem.DEVICE_STALLED: "the audio device works again",
    e.StreamProblem.SOFT_CHANNELS: "the microphone is as loud as its loudest channel again",
}

LINK_WORDS = {e.LinkState.ABSENT: "disconnected"}
"""What a change of a link is called where its state is not the word for it."""

CULPRIT_WORDS = {
    Culprit.SENDER_CAPTURE: "its microphone's fault",
    Culprit.SENDER_MACHINE: "its machine's fault",
    Culprit.NETWORK_OUT: "the network's fault",
    Culprit.NETWORK_IN: "the network's fault",
    Culprit.RECEIVER_MACHINE: "this machine's fault",
    Culprit.RECEIVER_DEVICE: "the speaker's fault",
    Culprit.BUFFER: "the playout's fault",
}

OBSERVER_ENDS = {
    e.Observer.RECORDING: "the recording failed",
    e.Observer.RTP_LOG: "the RTP log failed",
    e.Observer.PLAYOUT_LOG: "what the playout does is not logged any more",
    e.Observer.ECHO_TEST: "the test with an echo peer failed",
    e.Observer.QUALITY_WATCH: "poor audio is no longer reported in this session: its watch failed",
}


def multicast_stopped(interface: str | None) -> str:
    """What it means, and where to look."""
    where = f" any more on {interface}" if interface else " here"
    return (
        f"multicast does not pass{where}: signals go straight to known peers, and new ones are found by mDNS only"
        " (a firewall, or a switch that filters multicast?)"
    )


class Narrator:
    """Tells events to people: remembers who is called what, so that a DID is never all that is shown."""

    def __init__(self) -> None:
        self._names: dict[Did, str] = {}
        self._me: Did | None = None
        self._shown: dict[Did, frozenset[str]] = {}
        """What each participant of the call showed to all when it was last heard of."""

    @property
    def names(self) -> Mapping[Did, str]:
        """What the DIDs heard of so far are called."""
        return self._names

    def learn(self, status: Status) -> None:
        """Take the names of a snapshot."""
        self._me = status.did
        self._names.update(nicknames_of(status))
        for participant in () if status.call is None else status.call.participants:
            # A later snapshot may be newer than the event that is told next.
            self._shown.setdefault(
                participant.did, _shown(participant.muted, participant.deafened, participant.recording)
            )

    def tell(self, event: e.Event) -> str | None:
        """Return the sentence, without a full stop, and remember the names in the event.

        None: another event says the same. What a participant records is told by `RecordingStarted` and `RecordingStopped`.
        """
        nickname, did = (
            getattr(event, "nickname", None),
            getattr(event, "did", None) or getattr(event, "caller", None),
        )
        if nickname and did:
            self._names[did] = nickname
        if isinstance(event, e.CallJoined | e.CallTerminated | e.EventsMissed):
            self._shown.clear()
        return self._sentence(event)

    def _who(self, did: Did) -> str:
        return "you" if did == self._me else name_of(did, self._names)

    def _change(self, did: Did, shown: frozenset[str]) -> str | None:
        """Return what is new about what a participant shows, and remember it; all that it shows where nothing is new."""
        before, self._shown[did] = self._shown.get(did, frozenset()), shown
        begun = [word for word in STATE_ENDS if word in shown - before]
        ended = [end for word, end in STATE_ENDS.items() if word in before - shown]
        if not begun and not ended and before ^ shown:
            return None
        return ", ".join([*begun, *ended]) or ", ".join(sorted(shown)) or "not muted"

    def _sentence(self, event: e.Event) -> str | None:  # noqa: C901, PLR0911, PLR0912, PLR0915 - one line for each event; a table could not name its fields
        match event:
            case e.PeerAppeared(did=did):
                return f"{self._who(did)} is here"
            case e.PeerVanished(did=did):
                return f"{self._who(did)} is gone"
            case e.PeerClockDiffers(did=did, ahead_s=ahead_s, proved=proved):
                return clock_sentence(self._who(did), ahead_s, proved=proved)
            case e.PeerClockAgrees(did=did):
                return f"{self._who(did)}'s clock agrees with this one again"
            case e.ProtocolDiffers():
                return other_version(event)
            case e.MulticastStopped(interface=interface):
                return multicast_stopped(interface)
            case e.MulticastResumed(interface=interface):
                return "multicast passes again" + (f" on {interface}" if interface else "")
            case e.IncomingCall(caller=caller, call_id=call_id, participants=participants, in_contacts=known):
                others = [self._who(did) for did in participants if did not in {caller, self._me}]
                along = f", with {', '.join(others)}" if others else ""
                return f"{self._who(caller)}{CONTACT if known else ''} is calling{along}: accept {short_call(call_id)}"
            case e.CallNotAccepted(caller=caller, reason=reason):
                return f"{self._who(caller)} is calling, but is {printable(reason)}"
            case e.MicrophoneMuted(reason=reason):
                return f"the microphone is muted: {printable(reason)}"
            case e.OfferDelivered(did=did):
                return f"ringing {self._who(did)}"
            case e.CallCancelled(call_id=call_id, reason=reason):
                return f"call {short_call(call_id)} can no longer be joined: {END_REASONS[reason]}"
            case e.CallJoined(call_id=call_id):
                return f"joined call {short_call(call_id)}"
            case e.CallTerminated(call_id=call_id, reason=e.EndReason.LEFT):
                return f"you left call {short_call(call_id)}"
            case e.CallTerminated(call_id=call_id, reason=reason):
                return f"call {short_call(call_id)} ended: {END_REASONS[reason]}"
            case e.ParticipantJoined(did=did):
                return f"{self._who(did)} joined"
            case e.ParticipantBusy(did=did):
                return f"{self._who(did)} is in another call; ringing there too"
            case e.ParticipantDeclined(did=did):
                return f"{self._who(did)} declined"
            case e.ParticipantLeft(did=did, reason=reason):
                return f"{self._who(did)} {'left' if reason is e.LeaveReason.LEFT else 'was lost: nothing heard for too long'}"
            case e.ParticipantStateChanged(did=did, muted=muted, deafened=deafened, recording=recording):
                change = self._change(did, _shown(muted, deafened, recording))
                return None if change is None else f"{self._who(did)}: {change}"
            case e.VideoChanged(did=did, video=video):
                return f"{self._who(did)} turned the camera {'on' if video else 'off'}"
            case e.CameraLost(camera=camera, reason=reason):
                return f"the camera {printable(camera)} is off: {printable(reason)}"
            case e.LinkChanged(did=did, link=link):
                return f"audio with {self._who(did)}: {LINK_WORDS.get(link, link)}"
            case e.PathNotFound(did=did, ours=ours, left_out=left_out, theirs=theirs):
                return f"no path for audio to {self._who(did)} found yet: {printable(addresses_tried(ours, left_out, theirs))}"
            case e.PathChanged(did=did) as path:
                return f"audio with {self._who(did)} goes {printable(_path_told(path))}"
            case e.TalkingStarted(did=did):
                return f"{self._who(did)} began to talk"
            case e.TalkingStopped(did=did):
                return f"{self._who(did)} stopped talking"
            case e.Automuted():
                return "others talk: automute has muted you"
            case e.AutomuteEnded():
                return "automute has ended"
            case e.TalkingWhileMuted():
                return "you are talking while muted: `unmute` lets the others hear you"
            case e.DeviceChanged(direction=direction, device=device, description=description):
                return f"the {DEVICE_WORDS.get(direction, direction)} is now {described_device(device, description)}"
            case e.DeviceLost(direction=direction, device=device, reason=reason, replacement=replacement):
                instead = "nothing takes its place" if not replacement else f"using {shown(replacement)}"
                return f"the {DEVICE_WORDS.get(direction, direction)} {shown(device)} failed ({clause(reason)}); {instead}"
            case e.CaptureGap(reason=reason):
                return printable(reason)
            case e.ProcessingUnavailable(filters=filters, reason=reason):
                return f"{unavailable(filters)}: {clause(reason)}; the call goes on without"
            case e.DeviceLatencyRaised(direction=direction, device=device, latency_ms=latency_ms):
                word = DEVICE_WORDS.get(direction, direction)
                return f"the {word} {printable(device)} could not keep up: it has {latency_ms:.0f} ms of latency now"
            case e.CodecChanged():
                return f"your voice is sent with {codec_text(event, event.changed)} now"
            case e.ImpairmentChanged(nickname=nickname, incoming=incoming, outgoing=outgoing):
                return change_sentence(printable(nickname), incoming, outgoing)
            case e.StreamFailed(problem=e.StreamProblem.CLIPPING, reason=reason):
                return f"you are too loud: {printable(reason)}"
            case e.StreamFailed(did=did, reason=reason) if did == self._me:
                return f"trouble with your audio: {printable(reason)}"
            case e.StreamFailed(did=did, reason=reason):
                return f"no audio with {self._who(did)}: {printable(reason)}"
            case e.StreamRestored(problem=e.StreamProblem.DEVICE_STALLED, direction=str() as direction):
                return f"the {DEVICE_WORDS.get(direction, direction)} works again"
            case e.StreamRestored(did=did, problem=problem):
                return PROBLEM_ENDS[problem].format(who=self._who(did))
            case e.AudioDegraded(did=did, reason=reason, direction=e.StreamDirection.OUTBOUND):
                return f"poor audio to {self._who(did)}: {printable(reason)}"
            case e.AudioDegraded(did=did, reason=reason):
                return f"poor audio from {self._who(did)}: {printable(reason)}"
            case e.AudioDisturbed(did=did, culprit=culprit, reason=reason):
                return f"damaged audio from {self._who(did)}, {CULPRIT_WORDS[culprit]}: {printable(reason)}"
            case e.AudioRecovered(did=did, direction=e.StreamDirection.OUTBOUND):
                return f"good audio to {self._who(did)} again"
            case e.AudioRecovered(did=did):
                return f"good audio from {self._who(did)} again"
            case e.MachineOverloaded(reason=reason):
                return f"this machine is too slow for the call: {printable(reason)}"
            case e.MachineRecovered(lasted_s=lasted_s):
                return f"this machine keeps up again, after {duration_text(lasted_s)}"
            case e.RtpLogStarted(path=path, call_id=call_id, payload=payload):
                voices = ", with all voices: the others see that you record" if payload else ""
                return f"packets of call {short_call(call_id)} are logged to {shown(path)}{voices}"
            case e.RtpLogRowsLost(path=path, rows_lost=rows_lost):
                return f"the log {shown(path)} lacks {counted(rows_lost, 'row')} so far: the disk is too slow"
            case e.RtpLogStopped(path=path, reason=reason, rows=rows, rows_lost=rows_lost):
                lost = f", {rows_lost} could not be written" if rows_lost else ""
                return f"the log {shown(path)} is closed ({printable(reason)}): {counted(rows, 'row')}{lost}"
            case e.RecordingStarted(did=did, path=path):
                return f"{self._who(did)} started recording{f' to {shown(path)}' if path else ''}"
            case e.PicturesNotRecorded(did=did):
                return f"what {self._who(did)} shows is not recorded: the recording began with voices alone; `blink record stop` and `blink record start` record pictures too"
            case e.RecordingStopped(did=did, reason=reason, failed=True):
                return f"recording of {self._who(did)} failed: {clause(reason)}"
            case e.RecordingStopped(did=did, reason=reason):
                why = "" if reason == "stopped" else f": {printable(reason)}"
                return f"{self._who(did)} stopped recording{why}"
            case e.RecordingFilesLate(command=command, given_up=True):
                return f"the session ends before the files of its recording are made: `{printable(command)}` makes them"
            case e.RecordingFilesLate(command=command):
                return f"the session ends when the files of its recording are made; should it be killed, `{printable(command)}` makes them"
            case e.Marked(text=text):
                return f"marked: {printable(text)}"
            case e.ObserverFailed(observer=observer, reason=reason):
                return f"{OBSERVER_ENDS[observer]}: {printable(reason)}; the call goes on"
            case e.IceServerFailed(url=url, reason=reason):
                return f"the server {printable(url)} cannot be used: {printable(reason)}"
            case e.IceServerRecovered(url=url):
                return f"the server {printable(url)} can be used again"
            case e.SignalServerFailed(url=url, reason=reason):
                return f"the signal server {printable(url)} {printable(reason)}; calls that stand go on"
            case e.SignalServerConnected(url=url):
                return f"signals go through {printable(url)}"
            case e.TopologyChanged(topology=e.Topology.MESH):
                return "your voice goes to each participant directly"
            case e.TopologyChanged():
                return None
            case e.SfuConnected(url=url):
                return f"your voice goes through the SFU {printable(url)}"
            case e.SfuLost(url=url, reason=reason, mesh=mesh):
                until = (
                    ""
                    if mesh
                    else "; until then nobody is heard, as the call is too large for direct connections"
                )
                return f"the SFU {printable(url)} is lost: {printable(reason)}; it is tried again{until}"
            case e.SfuNotTaken(url=url):
                return f"the call goes through the SFU {printable(url)}, which is not used here: `--sfu {printable(url)}`, or `--sfu any`, would"
            case e.SfuPacketsRefused(url=url) as told:
                return f"what comes through the SFU {printable(url)} is not what was sealed in this call, and is not heard: {refused_in_room(told)}"
            case e.SfuPacketsAccepted(url=url, refused=refused_count):
                return f"what comes through the SFU {printable(url)} is right again; {counted(refused_count, 'packet')} refused"
            case e.EventsMissed(count=count):
                return f"{counted(count, 'event')} dropped: read too slowly"
            case e.SessionEnding():
                return "the session ends"
            case _:
                assert_never(event)


def happened_at(event: e.Event) -> datetime | None:
    """Return the moment of what is told again to whoever begins to listen later; None: it happens now."""
    moment = event.happened_at if isinstance(event, e.DeviceLost) else None
    return None if moment is None else datetime.fromisoformat(moment)


def _shown(muted: bool, deafened: bool, recording: bool) -> frozenset[str]:  # noqa: FBT001 - the three in the order of every document
    return frozenset(
        word for word, on in (("muted", muted), ("deafened", deafened), ("recording", recording)) if on
    )


def _path_told(path: e.PathChanged) -> str:
    if path.interface == path.left_interface and path.local == path.left_local:
        return f"to {path.remote} now: nothing came from {path.left_remote} any more"
    taken, left = (
        f"by {interface} ({local})" if interface else "through the relay"
        for interface, local in ((path.interface, path.local), (path.left_interface, path.left_local))
    )
    return f"{taken} now: nothing came {left} any more"
