"""The session at a glance, as lines of text."""

from collections.abc import Iterator

from blink_cli.commands.codec_words import chosen_text
from blink_cli.commands.impairment_text import impairment_texts
from blink_cli.commands.names_shown import (
    described_device,
    duration_text,
    flags_of,
    link_of,
    lufs_text,
    other_version,
    pending_state,
    people_in,
    picture_codec,
    refused_in_room,
    short_call,
    volume_words,
)
from blink_cli.commands.processing_text import processing_lines
from blink_cli.core.api.replies.calls import CurrentCall, Participant
from blink_cli.core.api.replies.codec import OpusCopy
from blink_cli.core.api.replies.devices import DeviceAt, MixFigures
from blink_cli.core.api.replies.loudness import Loudness
from blink_cli.core.api.replies.network import SignalServerState
from blink_cli.core.api.replies.paths import MediaPath
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.replies.video import VideoState
from blink_cli.core.identity.shown_name import printable, shown_name
from blink_cli.core.presence.addresses_told import addresses_tried
from blink_cli.core.text.clock_words import clock_sentence
from blink_cli.core.text.path_text import shown


def status_lines(status: Status) -> Iterator[str]:
    """Say what the session is and does, in lines."""
    yield f"{printable(status.nickname)} ({status.did}), profile {status.profile}, process {status.pid}"
    microphone = described_device(status.input, _description(status.input_place))
    yield f"  input   {microphone}{_instead(status.missed_input)}{', muted' if status.muted else ''}"
    speaker = described_device(status.output, _description(status.output_place))
    yield f"  output  {speaker}{_instead(status.missed_output)}{', deafened' if status.deafened else ''}"
    if status.video is not None and (status.video.on or status.video.camera != "default"):
        yield f"  camera  {camera_text(status.video)}"
    yield from _coding_lines(status)
    if status.machine is not None and status.machine.reason is not None:
        yield f"  machine too slow for the call: {printable(status.machine.reason)}"
    for text in impairment_texts(status.impairment):
        yield f"  {printable(text)}"
    if status.call is None:
        yield "  not in a call"
    else:
        yield f"  call    {short_call(status.call.id)}, {status.call.state.replace('_', ' ')}, since {status.call.since}"
        yield from _room_lines(status.call)
        for participant in status.call.participants:
            if not participant.self:
                yield f"          {participant_text(participant)}"
                if (loudness := participant.loudness) is not None and loudness.integrated_lufs is not None:
                    yield f"          loudness {lufs_text(loudness.integrated_lufs)} in all{_now(loudness)}"
                if (tried := participant.no_path) is not None:
                    where = addresses_tried(tried.ours, tried.left_out, tried.theirs)
                    yield f"          no path for audio found yet: {printable(where)}"
    yield from _volume_lines(status)
    for pending in status.pending_calls:
        caller = shown_name(pending.caller.nickname, pending.caller.did)
        yield f"  {pending_state(pending):8} {short_call(pending.id)} from {caller}, in it: {people_in(pending)}"
    for clock in status.wrong_clocks:
        name = shown_name(clock.nickname, clock.did)
        yield f"  clocks  {clock_sentence(name, clock.ahead_s, proved=clock.proved)}"
    for other in status.other_versions:
        yield f"  version {other_version(other)}"
    for server in () if status.network is None else status.network.signal_servers:
        yield f"  signals {printable(server.url)}: {_server_text(server)}"
    if status.log is not None:
        yield f"  log     {shown(status.log)}"


def camera_text(video: VideoState) -> str:
    """Say which camera is on or off, and how its pictures are sent."""
    words = [printable(video.camera), "on" if video.on else "off"]
    if video.on and video.mime_type is None:
        words.append("sent to nobody")
    elif video.on and video.mime_type is not None:
        if video.frame_width is not None and video.frame_height is not None:
            words.append(f"{video.frame_width}x{video.frame_height}")
        words.append(picture_codec(video.mime_type))
    return ", ".join(words)


def _room_lines(call: CurrentCall) -> Iterator[str]:
    if call.sfu is not None:
        heard = call.heard_at_once
        at_once = "everybody is heard" if heard is None else f"{heard} heard at once"
        yield f"  through the SFU {printable(call.sfu)}, {at_once}"
    refused = None if call.refused_in_room is None else refused_in_room(call.refused_in_room)
    if refused is not None:
        yield f"  refused of what came through the SFU: {refused}"


def _server_text(server: SignalServerState) -> str:
    if server.state == "connected":
        there = "" if server.rtt_s is None else f", {1000 * server.rtt_s:.1f} ms there and back"
        return f"connected{there}"
    return "not used now" if server.state == "unused" else f"it {printable(server.reason or 'failed')}"


def _coding_lines(status: Status) -> Iterator[str]:
    """What is done to the microphone's sound."""
    if status.processing is not None:
        for line in processing_lines(status.processing):
            yield f"  {line}"
    if status.opus is not None:
        yield f"  opus    {_opus_text(status.opus.used)}"
        for copy in status.opus.others:
            if copy.passed_over is not None:
                yield f"          passed over: {shown(copy.path)}: {printable(copy.passed_over)}"
        yield f"  concealment  {_concealment_text(status.opus.concealment, status.mix)}"
    if status.codec is not None:
        yield f"  codec   {chosen_text(status.codec)}"


def _volume_lines(status: Status) -> Iterator[str]:
    """Say what is too loud, and who is not played as they come."""
    if status.capture is not None and status.capture.clipped_frames:
        share = status.capture.clipped_frames / max(status.capture.frames, 1)
        yield f"  input   too loud for its gain in {share:.1%} of the time: turn it down"
    if status.mix is not None and status.mix.limited_s:
        yield f"  output  all together too loud for {duration_text(status.mix.limited_s)}: turned down meanwhile"
    for heard in status.volumes:
        words = volume_words(heard.gain_db, muted_here=heard.muted_here)
        yield f"  volume  {shown_name(heard.nickname, heard.did)}: {words}"


def _now(loudness: Loudness) -> str:
    short_term = loudness.short_term_lufs
    return "" if short_term is None else f", {lufs_text(short_term)} now"


def _opus_text(copy: OpusCopy) -> str:
    """Name it, say what it can do beyond the ordinary, and where it is."""
    abilities = {"deep PLC": copy.deep_plc, "DRED": copy.dred, "OSCE": copy.osce}
    can = [name for name, has in abilities.items() if has]
    return f"{printable(copy.name or '')}, {'with ' + ', '.join(can) if can else 'without deep PLC and DRED'}: {shown(copy.path)}"


def _concealment_text(kind: str, mix: MixFigures | None) -> str:
    """Say how what is lost is made up, and how much was in this call."""
    text = kind if kind != "classic" else "classic, without deep PLC and DRED"
    if mix is not None and mix.deep_concealed_s:
        text += f", {duration_text(mix.deep_concealed_s)} guessed by a network"
    if mix is not None and mix.deep_refused_s:
        text += (
            f", {duration_text(mix.deep_refused_s)} without it: more was lost at once than there is time for"
        )
    return text


def _instead(missed: str | None) -> str:
    return "" if missed is None else f", in place of {printable(missed)}"


def _description(place: DeviceAt | None) -> str | None:
    return None if place is None else place.description


def _path_words(path: MediaPath) -> str:
    if path.type == "sfu":
        return "through the SFU"
    if path.type == "srflx":
        return f"through a NAT ({path.remote})"
    relay = path.relay
    if relay is None:
        return f"through its relay ({path.remote})"
    return (
        f"through a relay ({relay.server}{'' if relay.rtt_ms is None else f', {relay.rtt_ms:.0f} ms away'})"
    )


def participant_text(participant: Participant) -> str:
    """Say how one participant is, in a line."""
    words = [link_of(participant)]
    if participant.talking:
        words.append("talking")
    if flags := flags_of(participant):
        words.append(flags)
    if participant.path is not None and participant.path.type != "host":
        words.append(_path_words(participant.path))
    return f"{shown_name(participant.nickname, participant.did)}: {', '.join(words)}"
