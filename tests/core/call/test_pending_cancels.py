"""Goodbyes end, in time and in number."""

import math

from blink_cli.core.call.pending_cancels import PendingCancels
from blink_cli.core.call.settings import LAN
from blink_cli.core.ids import CallId

CALLS = [CallId(f"{number:032x}") for number in range(40)]


def test_a_farewell_ends_after_its_time() -> None:
    farewells = PendingCancels(LAN)
    assert farewells.due_at == math.inf
    assert farewells.begin(CALLS[0], 100.0) == ()
    assert farewells.due_at == 100.0 + LAN.farewell_s
    assert farewells.ended(100.0 + LAN.farewell_s - 0.1) == ()
    assert farewells.ended(100.0 + LAN.farewell_s) == (CALLS[0],)
    assert farewells.due_at == math.inf


def test_too_many_farewells_end_the_oldest() -> None:
    farewells = PendingCancels(LAN)
    stopped = [gone for call in CALLS for gone in farewells.begin(call, 100.0)]
    assert stopped == CALLS[: len(CALLS) - LAN.max_pending_cancels]
    assert len(farewells) == LAN.max_pending_cancels
