"""Carries out `mark`: this moment of the call, in everything that is kept of it.

`mark [TEXT]` ──> event Marked, a row of the RTP log, a marker of the recording
"""

import time

from blink_cli.app.call.call_runner import CallRunner
from blink_cli.app.event_hub import EventHub
from blink_cli.app.files.recordings import Recordings
from blink_cli.app.files.rtp_logging import RtpLogging
from blink_cli.app.request_table import RequestTable
from blink_cli.core.api.events import Marked
from blink_cli.core.api.replies.calls import MarkMade
from blink_cli.core.api.requests import Mark
from blink_cli.core.errors import StateError


class Marking:
    """Belongs to the event loop."""

    def __init__(
        self, runner: CallRunner, hub: EventHub, rtp_log: RtpLogging, recordings: Recordings
    ) -> None:
        """Mark nothing yet."""
        self._runner = runner
        self._hub = hub
        self._rtp_log = rtp_log
        self._recordings = recordings
        self._unnamed = 0

    def add_to(self, table: RequestTable) -> None:
        """Carry out the request."""
        table.add(Mark, self.mark)

    async def mark(self, request: Mark) -> MarkMade:
        """Mark this moment.

        Raises:
            StateError: There is no call.

        """
        call = self._runner.current
        if call is None:
            raise StateError(
                "This session is in no call, so there is no moment to mark.",
                hint="`blink offer PEER` makes a call; `blink calls` lists what rings.",
            )
        text = request.text.strip()
        if not text:
            self._unnamed += 1
            text = f"mark {self._unnamed}"
        now_s = time.monotonic()
        reply = MarkMade(
            call=call,
            text=text,
            at_s=now_s,
            rtp_log=self._rtp_log.mark(text),
            recording_at_s=self._recordings.put_marker(text, now_s),
        )
        self._hub.publish(Marked(call_id=call, text=text, at_s=now_s))
        return reply
