"""Replies as tables. Pure: a value in, something rich can render out."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from blink_cli.commands.names_shown import (
    duration_text,
    flags_of,
    pending_state,
    people_in,
    printable,
    short_call,
    short_did,
    shown_name,
)
from blink_cli.core.events import LinkState
from blink_cli.core.replies import (
    IceServerList,
    Participants,
    Peers,
    PeerStatistics,
    PendingCall,
    RtpStatistics,
)

LINK_STYLES = {
    LinkState.SELF: "dim",
    LinkState.CONNECTING: "yellow",
    LinkState.CONNECTED: "green",
    LinkState.LOST: "red",
    LinkState.ABSENT: "dim",
}


STATISTICS_COLUMNS = (
    ("rtt", "round trip"),
    ("recv", "packets received"),
    ("lost", "packets lost on the way"),
    ("late", "packets that came too late to be played"),
    ("fixed", "packets recovered by FEC or redundancy"),
    ("conceal", "share of the sound that was made up"),
    ("jitter", "RFC 3550"),
    ("delay", "from arrival to the speaker, now"),
    ("mos", "estimated, 1 to 4.5; `--json` has its model and inputs"),
    ("sent", "packets sent"),
    ("far lost", "share that the peer reports as lost"),
    ("red", "redundant copies in each packet"),
)
"""Heading and meaning of each figure, in the order of `_figures`."""


def plain_table(*headings: str) -> Table:
    """Return a table without lines: what `column -t` would make of it."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def peers_table(peers: Peers) -> Table:
    """Who was seen on the network, the living first."""
    table = plain_table("nickname", "did", "address", "seen", "contact")
    for peer in sorted(peers.peers, key=lambda p: (not p.alive, p.nickname)):
        seen = "never" if peer.last_seen_ms is None else f"{duration_text(peer.last_seen_ms / 1000)} ago"
        table.add_row(
            printable(peer.nickname) or "-",
            peer.did,
            peer.address or "-",
            "now" if peer.alive else seen,
            "yes" if peer.in_contacts else "",
            style=None if peer.alive else "dim",
        )
    return table


def pending_table(pending: tuple[PendingCall, ...]) -> Table:
    """Calls that can be joined."""
    table = plain_table("call", "from", "in it", "state")
    for call in pending:
        table.add_row(
            short_call(call.id),
            shown_name(call.caller.nickname, call.caller.did),
            people_in(call),
            pending_state(call),
        )
    return table


def participants_table(participants: Participants) -> Table:
    """Who is in, or invited to, the current call."""
    table = plain_table("nickname", "did", "link", "state", "gain")
    for participant in participants.participants:
        talking = "talks" if participant.talking else ""
        table.add_row(
            printable(participant.nickname) or "-",
            short_did(participant.did),
            Text(participant.link, style=LINK_STYLES[participant.link]),
            ", ".join(filter(None, (talking, flags_of(participant)))),
            f"{participant.gain_db:+g} dB" if participant.gain_db else "",
        )
    return table


def devices_table(devices: Sequence[Mapping[str, Any]]) -> Table:
    """The audio devices, as `list-devices --json` has them; the defaults are marked."""
    table = plain_table("device", "host", "in", "out", "rate", "default")
    for device in devices:
        defaults = [name for name in ("input", "output") if device[f"default_{name}"]]
        table.add_row(
            printable(device["name"]),
            device["host_api"],
            str(device["inputs"] or ""),
            str(device["outputs"] or ""),
            f"{device['sample_rate']:.0f} Hz",
            ", ".join(defaults),
            style="dim" if device["virtual"] else None,
        )
    return table


def ice_servers_table(reply: IceServerList) -> Table:
    """STUN and TURN servers; those that calls use are marked."""
    table = plain_table("", "server", "state", "round trip", "gave", "why")
    for server in reply.servers:
        gave = server.relay_address if server.kind == "turn" else server.outside_address
        table.add_row(
            "*" if server.in_use else "",
            printable(server.url),
            Text("alive", style="green") if server.alive else Text("unusable", style="red"),
            "-" if server.rtt_ms is None else f"{server.rtt_ms:.1f} ms",
            gave or "-",
            printable(server.last_error or ""),
        )
    return table


def statistics_table(statistics: RtpStatistics) -> Table:
    """Both directions of every link, in short; `--json` has all figures."""
    table = plain_table("peer", *(heading for heading, _ in STATISTICS_COLUMNS))
    for column in table.columns[1:]:
        column.justify = "right"
        column.no_wrap = True
    for peer in statistics.peers:
        table.add_row(shown_name(peer.nickname, peer.did), *_figures(peer))
    return table


def device_lines(statistics: RtpStatistics) -> tuple[str, ...]:
    """One line for each device of this session."""
    return tuple(
        f"{direction}  {printable(figures.device)}: latency {figures.latency_ms:.0f} ms, lost {figures.lost_ms:.0f} ms, "
        f"late steps {figures.late_ticks} (99 % within {figures.lateness_p99_ms:g} ms)"
        for direction, figures in (("input ", statistics.input), ("output", statistics.output))
        if figures is not None
    )


def _figures(peer: PeerStatistics) -> tuple[str, ...]:
    inbound, outbound = peer.inbound, peer.outbound
    received: tuple[str, ...] = ("-",) * 8
    if inbound is not None:
        concealed = (
            inbound.concealed_samples / inbound.total_samples_received
            if inbound.total_samples_received
            else 0
        )
        received = (
            str(inbound.packets_received),
            str(inbound.packets_lost),
            str(inbound.packets_discarded),
            str(inbound.packets_recovered),
            f"{concealed:.1%}",
            "-" if inbound.jitter is None else f"{inbound.jitter * 1000:.1f} ms",
            "-" if inbound.delay_ms is None else f"{inbound.delay_ms:.0f} ms",
            "-"
            if inbound.jitter is None or inbound.analysis is None or inbound.analysis.quality is None
            else f"{inbound.analysis.quality.mos:.1f}",
        )
    sent: tuple[str, ...] = ("-",) * 3
    if outbound is not None:
        far = outbound.remote
        sent = (
            str(outbound.packets_sent),
            "-" if far is None else f"{far.fraction_lost:.1%}",
            str(outbound.redundancy_levels),
        )
    return ("-" if peer.rtt_s is None else f"{peer.rtt_s * 1000:.1f} ms", *received, *sent)
