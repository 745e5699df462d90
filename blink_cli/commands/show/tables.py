"""Replies as tables, before their width is known. Pure: a value in, a `Table` out."""

from collections.abc import Sequence
from typing import Final

from blink_cli.api.documents import DeviceRow, ListedCamera
from blink_cli.commands.names_shown import (
    CONTACT,
    counted,
    duration_text,
    flags_of,
    link_of,
    lufs_text,
    milliseconds_text,
    pending_state,
    people_in,
    picture_codec,
    short_call,
)
from blink_cli.commands.show.layout import Cell, Column, Table
from blink_cli.core.api.events import LinkState
from blink_cli.core.api.replies.calls import Participants, PendingCall
from blink_cli.core.api.replies.loudness import RecordedLoudness
from blink_cli.core.api.replies.network import IceServerList
from blink_cli.core.api.replies.peers import NamedPeer, Peers
from blink_cli.core.api.replies.statistics import Inbound, OneWay, Outbound, PeerStatistics, RtpStatistics
from blink_cli.core.api.replies.video import VideoSent
from blink_cli.core.identity.shown_name import printable, short_did, shown_name

LINK_STYLES: Final = {
    LinkState.SELF: "dim",
    LinkState.CONNECTING: "yellow",
    LinkState.CONNECTED: "green",
    LinkState.LOST: "red",
    LinkState.ABSENT: "dim",
}

STATISTICS_COLUMNS: Final = (
    # heading, rank, meaning
    ("rtt", 5, "round trip"),
    ("recv", 3, "packets received"),
    ("lost", 1, "packets lost on the way"),
    ("late", 3, "packets that came too late to be played"),
    ("fixed", 6, "packets recovered by FEC or redundancy"),
    ("conceal", 2, "share of the sound that was made up"),
    ("jitter", 4, "RFC 3550"),
    ("delay", 2, "from arrival to the speaker, now"),
    ("mos", 4, "estimated, 1 to 4.5; `--json` has its model and inputs"),
    ("sent", 7, "packets sent"),
    ("far lost", 6, "share that the peer reports as lost"),
    ("red", 8, "redundant copies in each packet"),
)
"""Each figure in the order of `_figures`; of those that do not fit the highest rank leaves first."""

WAY_COLUMNS: Final = (
    ("way in", 9, "from the peer to here, the network alone"),
    ("way out", 9, "from here to the peer"),
)
"""Of those with whom clocks tell it; left out where they do with nobody."""


def name_cell(nickname: str, did: str, *, style: str = "", mark: str = "", keep: str = "") -> Cell:
    """Who a row is about.

    Args:
        nickname: What the peer is called; empty when it has no name.
        did: The peer.
        style: How it looks.
        mark: Stands in front.
        keep: Stands behind the name, and stays when the name is cut.

    """
    name = shown_name(nickname, did)
    # What tells two peers of one name apart, see `core/api/address_book.Names`.
    own, _, told_apart = name.partition(" (…")
    apart = f" (…{told_apart}" if told_apart else ""
    return Cell(own, style, keep=f"{apart}{keep}", mark=mark)


def peers_table(peers: Peers) -> Table:
    """Who was seen on the network, the living first."""
    rows = []
    for peer in sorted(peers.peers, key=lambda p: (not p.alive, p.nickname)):
        style = "" if peer.alive else "dim"
        seen = "never" if peer.last_seen_ms is None else f"{duration_text(peer.last_seen_ms / 1000)} ago"
        rows.append(
            (
                Cell("-", style) if not peer.nickname else name_cell(peer.nickname, peer.did, style=style),
                did_cell(peer.did, style),
                Cell("now" if peer.alive else seen, style),
                Cell(peer.address or ("via broker" if peer.via == "broker" else "-"), style),
                Cell("yes" if peer.in_contacts else "", style),
            )
        )
    columns = (
        Column("nickname", "name"),
        Column("did"),
        Column("seen", rank=1),
        Column("address", rank=2),
        Column("contact", rank=3),
    )
    return Table(columns, tuple(rows))


def contacts_table(contacts: Sequence[NamedPeer]) -> Table:
    """The petnames of a profile."""
    rows = (
        (Cell(printable(contact.nickname)), Cell(contact.did, short=short_did(contact.did)))
        for contact in contacts
    )
    return Table((Column("nickname", "name"), Column("did")), tuple(rows), headed=False)


def did_cell(did: str, style: str = "") -> Cell:
    """A DID, or as much of its beginning as names it."""
    return Cell(printable(did), style, short=short_did(did))


def pending_table(pending: Sequence[PendingCall]) -> Table:
    """Calls that can be joined."""
    rows = tuple(
        (
            Cell(short_call(call.id)),
            name_cell(call.caller.nickname, call.caller.did, keep=CONTACT if call.caller.in_contacts else ""),
            Cell(people_in(call)),
            Cell(pending_state(call)),
        )
        for call in pending
    )
    columns = (Column("call"), Column("from", "name"), Column("in it", "words", rank=1), Column("state"))
    return Table(columns, rows)


def participants_table(participants: Participants) -> Table:
    """Who is in, or invited to, the current call."""
    rows = []
    for participant in participants.participants:
        talking = "talking" if participant.talking else ""
        you = " (you)" if participant.self else ""
        loudness = participant.loudness
        rows.append(
            (
                Cell("-")
                if not participant.nickname
                else name_cell(participant.nickname, participant.did, keep=you),
                did_cell(participant.did),
                Cell(link_of(participant), LINK_STYLES[participant.link]),
                Cell(", ".join(filter(None, (talking, flags_of(participant))))),
                Cell(f"{participant.gain_db:+g} dB" if participant.gain_db else ""),
                Cell(lufs_text(None if loudness is None else loudness.short_term_lufs)),
                Cell(lufs_text(None if loudness is None else loudness.integrated_lufs)),
                Cell("yes" if participant.in_contacts else ""),
            )
        )
    columns = (
        Column("nickname", "name"),
        Column("did", rank=2),
        Column("link"),
        Column("state", "words", rank=1),
        Column("gain", right=True, rank=3),
        Column("loudness", right=True, rank=4),
        Column("in all", right=True, rank=5),
        Column("contact", rank=6),
    )
    return Table(columns, tuple(rows))


def recorded_loudness_table(measured: Sequence[RecordedLoudness]) -> Table:
    """How loud each track of a recording is."""
    rows = tuple(
        (
            name_cell(one.nickname, one.did),
            Cell(lufs_text(one.integrated_lufs) or "silent"),
            Cell("" if one.range_lu is None else f"{one.range_lu:.1f} LU"),
            Cell("" if one.true_peak_dbtp is None else f"{one.true_peak_dbtp:.1f} dBTP"),
        )
        for one in measured
    )
    columns = (
        Column("participant", "name"),
        Column("loudness", right=True),
        Column("range", right=True, rank=2),
        Column("peak", right=True, rank=1),
    )
    return Table(columns, rows)


def devices_table(devices: Sequence[DeviceRow]) -> Table:
    """The audio devices, as `list-devices --json` has them; the defaults are marked."""
    rows = []
    for device in devices:
        style = "dim" if device.virtual else ""
        defaults = [
            name
            for name, is_default in (("input", device.default_input), ("output", device.default_output))
            if is_default
        ]
        rows.append(
            (
                Cell(printable(device.name), style),
                Cell(_described(device), style),
                Cell(device.host_api, style),
                Cell(str(device.inputs or ""), style),
                Cell(str(device.outputs or ""), style),
                Cell(f"{device.sample_rate:.0f} Hz", style),
                Cell(", ".join(defaults), style),
            )
        )
    columns = (
        Column("device", "words"),
        Column("description", "words", rank=1),
        Column("host", rank=4),
        Column("in", right=True, rank=1),
        Column("out", right=True, rank=1),
        Column("rate", right=True, rank=3),
        Column("default", rank=2),
    )
    return Table(columns, tuple(rows))


def cameras_table(cameras: Sequence[ListedCamera]) -> Table:
    """The cameras, as `list-cameras --json` has them."""
    rows = []
    for camera in cameras:
        style = "dim" if camera.virtual else ""
        description = "" if camera.description == camera.name else camera.description or ""
        rows.append((Cell(printable(camera.name), style), Cell(printable(description), style)))
    return Table((Column("camera", "words"), Column("description", "words", rank=1)), tuple(rows))


def _described(device: DeviceRow) -> str:
    """What the sound system calls a device, where that is not its name."""
    description = device.description or ""
    return "" if description == device.name else printable(description)


def ice_servers_table(reply: IceServerList) -> Table:
    """STUN and TURN servers, and which of them calls use."""
    rows = []
    for server in reply.servers:
        gave = server.relay_address if server.kind == "turn" else server.outside_address
        rows.append(
            (
                Cell(printable(server.url)),
                Cell("alive", "green") if server.alive else Cell("unusable", "red"),
                Cell("yes" if server.in_use else ""),
                Cell("-" if server.rtt_ms is None else milliseconds_text(server.rtt_ms)),
                Cell(gave or "-"),
                Cell(printable(server.last_error or "")),
            )
        )
    columns = (
        Column("server", "words"),
        Column("state"),
        Column("in use", rank=1),
        Column("round trip", right=True, rank=3),
        Column("gave", rank=2),
        Column("why", "words", rank=4),
    )
    return Table(columns, tuple(rows))


def statistics_table(peers: Sequence[PeerStatistics]) -> Table:
    """Both directions of every link, in short; `--json` has all figures."""
    headings = [Column(heading, right=True, rank=rank) for heading, rank, _ in STATISTICS_COLUMNS]
    figures = [_figures(peer) for peer in peers]
    if any(peer.one_way is not None and peer.one_way.method is not None for peer in peers):
        headings += [Column(heading, right=True, rank=rank) for heading, rank, _ in WAY_COLUMNS]
        figures = [(*row, *_ways(peer.one_way)) for row, peer in zip(figures, peers, strict=True)]
    rows = tuple(
        (name_cell(peer.nickname, peer.did), *(Cell(text) for text in row))
        for peer, row in zip(peers, figures, strict=True)
    )
    return Table((Column("peer", "name"), *headings), rows)


def heard_lines(peers: Sequence[PeerStatistics]) -> tuple[str, ...]:
    """How each peer hears this session's voice, by its own extended reports; nothing of those that send none."""
    told = (
        (peer, peer.outbound.remote.voip_metrics)
        for peer in peers
        if peer.outbound is not None and peer.outbound.remote is not None
    )
    return tuple(
        f"heard   {printable(peer.nickname)} hears this voice with {heard.loss_rate:.1%} lost after repair, "
        f"{heard.discard_rate:.1%} discarded"
        + (f", bursts at {heard.burst_density:.0%}" if heard.burst_density else "")
        + (f", MOS {heard.mos_conversational:.1f}" if heard.mos_conversational is not None else "")
        + (f", {heard.end_system_delay_ms} ms in its system" if heard.end_system_delay_ms is not None else "")
        for peer, heard in told
        if heard is not None
    )


def picture_lines(peers: Sequence[PeerStatistics], in_room: VideoSent | None = None) -> tuple[str, ...]:
    """How pictures come and go, for each participant with whom there are any, and to a room."""
    lines = []
    for peer in peers:
        if peer.video is None:
            continue
        name, came, went = printable(peer.nickname), peer.video.received, peer.video.sent
        if came.packets_received:
            how = "" if came.mime_type is None else f" in {picture_codec(came.mime_type)}"
            pace = "" if came.frames_per_second is None else f", {came.frames_per_second:.1f} a second"
            lines.append(
                f"seen    {name}: {counted(came.frames_decoded, 'picture')}{how}{pace}, key frames {came.key_frames_decoded}, "
                f"lost {counted(came.packets_lost, 'packet')} of {came.packets_received + came.packets_lost}, "
                f"frozen {came.total_freezes_duration:.1f} s, jitter {milliseconds_text(1000 * came.jitter)}, "
                f"asked by {came.nack_count} NACK, {came.pli_count} PLI"
            )
        if went.packets_sent:
            lines.append(f"shown   {name}: {_shown_text(went)}")
    if in_room is not None and in_room.packets_sent:
        lines.append(f"shown   to the room, for all in it: {_shown_text(in_room)}")
    return tuple(lines)


def _shown_text(went: VideoSent) -> str:
    how = "" if went.mime_type is None else f" in {picture_codec(went.mime_type)}"
    return (
        f"{counted(went.frames_sent, 'picture')}{how}, key frames {went.key_frames_sent}, "
        f"{counted(went.packets_sent, 'packet')}, {went.retransmitted_packets_sent} of them again, "
        f"{went.target_bitrate / 1000:.0f} kb/s allowed, asked by {went.nack_count} NACK, {went.pli_count} PLI, "
        f"{went.fir_count} FIR"
    )


def device_lines(statistics: RtpStatistics) -> tuple[str, ...]:
    """One line for each device of this session."""
    return tuple(
        f"{direction}  {printable(figures.device)}: latency {milliseconds_text(figures.latency_ms)}, "
        f"lost {milliseconds_text(figures.lost_ms)}, late steps {figures.late_ticks} "
        f"(99 % within {milliseconds_text(figures.lateness_p99_ms)})"
        for direction, figures in (("input ", statistics.input), ("output", statistics.output))
        if figures is not None
    )


def concealed_text(inbound: Inbound) -> str:
    """The share of the sound that was made up."""
    total = inbound.total_samples_received
    return f"{inbound.concealed_samples / total if total else 0:.1%}"


def _figures(peer: PeerStatistics) -> tuple[str, ...]:
    rtt = "-" if peer.rtt_s is None else f"{peer.rtt_s * 1000:.1f} ms"
    return (rtt, *_received(peer.inbound), *_sent(peer.outbound))


def _ways(one_way: OneWay | None) -> tuple[str, str]:
    if one_way is None:
        return ("-", "-")
    ways = one_way.incoming_ms, one_way.outgoing_ms
    incoming, outgoing = ("-" if way is None else f"{max(way, 0.0):.1f} ms" for way in ways)
    return (incoming, outgoing)


def _received(inbound: Inbound | None) -> tuple[str, ...]:
    if inbound is None:
        return ("-",) * 8
    quality = None if inbound.analysis is None else inbound.analysis.quality
    return (
        str(inbound.packets_received),
        str(inbound.packets_lost),
        str(inbound.packets_discarded),
        str(inbound.packets_recovered),
        concealed_text(inbound),
        "-" if inbound.jitter is None else f"{inbound.jitter * 1000:.1f} ms",
        "-" if inbound.delay_ms is None else f"{inbound.delay_ms:.0f} ms",
        "-" if inbound.jitter is None or quality is None else f"{quality.mos:.1f}",
    )


def _sent(outbound: Outbound | None) -> tuple[str, ...]:
    if outbound is None:
        return ("-",) * 3
    far = outbound.remote
    return (
        str(outbound.packets_sent),
        "-" if far is None else f"{far.fraction_lost:.1%}",
        str(outbound.redundancy_levels),
    )
