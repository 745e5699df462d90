"""The figures of a call as `rtp-stats` prints them, once or again and again."""

from typing import Final

from blink_cli.api.documents import reply_document
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.impairment_text import impairment_lines
from blink_cli.commands.names_shown import refused_in_room
from blink_cli.core.api.replies.statistics import RtpStatistics
from blink_cli.core.identity.shown_name import printable

EVERY_S: Final = 1.0
"""Between two looks: figures over the last second mean something, and a person can read them."""


def show(context: CommandContext, statistics: RtpStatistics) -> None:
    """Print the figures."""
    if context.output.json:
        context.output.document(reply_document(statistics))
        return
    from blink_cli.commands.show.tables import device_lines, heard_lines, picture_lines, statistics_table  # noqa: PLC0415 - 20 ms, for people only

    for line in impairment_lines(statistics.impairment):
        context.output.line(printable(line), hang=4)
    if statistics.peers:
        context.output.table(statistics_table(statistics.peers))
    else:
        context.output.line("no audio with anybody yet")
    for line in (
        *heard_lines(statistics.peers),
        *picture_lines(statistics.peers, statistics.shown_in_room),
        *device_lines(statistics),
    ):
        context.output.line(line, hang=8)
    if (counts := statistics.refused_in_room) and (refused := refused_in_room(counts)) is not None:
        context.output.line(f"refused of what came through the SFU: {refused}", hang=8)
