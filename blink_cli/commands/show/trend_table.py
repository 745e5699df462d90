"""The last minute of each peer, where there is no room for it beside their names. Pure.

last minute  delay to 200 ms                  loss to 5%
bob          ⣀⣀⣤⣤⣀⣀⣶⣿⣤⣀                       ⣀⣀⣀⣀⣀⣀⣇⣀⣀⣀
"""

from collections.abc import Mapping, Sequence

from blink_cli.commands.call_history import Trend
from blink_cli.commands.show.glyphs import Glyphs
from blink_cli.commands.show.layout import Cell, Column, Table
from blink_cli.commands.show.tables import name_cell
from blink_cli.commands.show.trend_line import (
    DELAY_TOP_MS,
    LOSS_TOP_SHARE,
    TREND_CELLS,
    delay_line,
    loss_line,
    loss_style,
)
from blink_cli.core.api.replies.statistics import PeerStatistics
from blink_cli.core.ids import Did


def trend_table(peers: Sequence[PeerStatistics], trends: Mapping[Did, Trend], glyphs: Glyphs) -> Table:
    """Return a row for each peer with whom there is a link, or was."""
    columns = (
        Column("last minute", "name"),
        Column(f"delay to {DELAY_TOP_MS:.0f} ms", rank=2),
        Column(f"loss to {LOSS_TOP_SHARE:.0%}", rank=1),
    )
    rows = []
    for peer in peers:
        trend = trends.get(peer.did, Trend())
        delays = [delay_line(trend.delay_ms, cells, glyphs) for cells in TREND_CELLS]
        losses = [loss_line(trend.lost_share, cells, glyphs) for cells in TREND_CELLS]
        rows.append(
            (
                name_cell(peer.nickname, peer.did),
                Cell(delays[0], short=delays[1]),
                Cell(losses[0], loss_style(trend.lost_share), short=losses[1]),
            )
        )
    return Table(columns, tuple(rows))
