"""Answers what is asked about the figures of the current call, and counts them anew from a chosen moment on."""

import time

from blink_cli.app.call.call_runner import CallRunner
from blink_cli.app.media.quality_watch import QualityWatch
from blink_cli.app.request_table import RequestTable
from blink_cli.app.views.call_views import CallViews
from blink_cli.app.views.statistics_views import StatisticsViews
from blink_cli.core.api.replies.calls import Calls, Mesh, Participants
from blink_cli.core.api.replies.loudness import Levels
from blink_cli.core.api.replies.statistics import RtpStatistics, StatisticsReset
from blink_cli.core.api.requests import (
    GetCalls,
    GetLevels,
    GetMesh,
    GetParticipants,
    GetRtpStatistics,
    ResetStatistics,
)
from blink_cli.core.api.statistics_since import counted_since
from blink_cli.core.errors import StateError
from blink_cli.core.ids import CallId
from blink_cli.core.text.utc_text import utc_text_of


class StatisticsRequests:
    """Belongs to the event loop."""

    def __init__(
        self, runner: CallRunner, calls: CallViews, statistics: StatisticsViews, quality: QualityWatch
    ) -> None:
        self._runner = runner
        self._calls = calls
        self._statistics = statistics
        self._quality = quality
        self._counted_from: tuple[RtpStatistics, str] | None = None
        """The totals at the last reset of the figures, and when that was."""

    def add_to(self, table: RequestTable) -> None:
        """Answer the requests about figures and participants."""
        table.add(GetCalls, self.get_calls)
        table.add(GetParticipants, self.get_participants)
        table.add(GetRtpStatistics, self.get_rtp_statistics)
        table.add(ResetStatistics, self.reset)
        table.add(GetLevels, self.get_levels)
        table.add(GetMesh, self.get_mesh)

    async def get_calls(self, _: GetCalls) -> Calls:
        """The current call and those that can be joined."""
        return Calls(call=self._calls.current_call(), pending_calls=self._calls.pending_calls())

    async def get_participants(self, _: GetParticipants) -> Participants:
        """Who is in the call.

        Raises:
            StateError: There is no call. So do the methods below.

        """
        call = self._calls.current_call()
        if call is None:
            raise _no_call()
        return Participants(call=call.id, participants=call.participants)

    async def get_rtp_statistics(self, request: GetRtpStatistics) -> RtpStatistics:
        """The call's figures, from its beginning or from the last reset on."""
        now = self._statistics.rtp_statistics(self._require_call(), time.monotonic())
        if request.total or self._counted_from is None:
            return now
        return counted_since(now, *self._counted_from)

    async def reset(self, _: ResetStatistics) -> StatisticsReset:
        """Count from now on. What is reported to peers and logged goes on as it was."""
        call = self._require_call()
        moment = utc_text_of(time.time())
        self._counted_from = self._statistics.rtp_statistics(call, time.monotonic()), moment
        self._quality.begin_anew()
        return StatisticsReset(call=call, since=moment)

    async def get_levels(self, _: GetLevels) -> Levels:
        """How loud everybody is."""
        return self._calls.levels(self._require_call(), time.monotonic())

    async def get_mesh(self, _: GetMesh) -> Mesh:
        """Who hears whom."""
        return self._calls.mesh(self._require_call())

    def _require_call(self) -> CallId:
        call = self._runner.current
        if call is None:
            raise _no_call()
        return call


def _no_call() -> StateError:
    return StateError(
        "This session is not in a call.", hint="`blink offer PEER` makes one; `blink calls` lists what rings."
    )
