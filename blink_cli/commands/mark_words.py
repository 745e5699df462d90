"""What is told of a mark."""

from blink_cli.commands.names_shown import duration_text
from blink_cli.core.api.replies.calls import MarkMade
from blink_cli.core.identity.shown_name import printable


def mark_sentence(made: MarkMade) -> str:
    """Say what was marked, and where it can be found again."""
    where = ["the RTP log"] if made.rtp_log else []
    if made.recording_at_s is not None:
        where.append(f"the recording, at {duration_text(made.recording_at_s)}")
    found = f", also in {' and '.join(where)}" if where else ""
    return f"marked: {printable(made.text)}{found}"
