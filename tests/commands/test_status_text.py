"""The session at a glance: what stands in its lines."""

import msgspec
import pytest

from blink_cli.commands.status_text import status_lines
from blink_cli.core.api.replies import OpusCopy, OpusLibraries, Status
from tests.support.scripted_session import ScriptedSession

pytestmark = pytest.mark.no_clock


def lines(opus: OpusLibraries | None) -> list[str]:
    state: Status = msgspec.structs.replace(ScriptedSession().state, opus=opus)
    return [line for line in status_lines(state) if "opus" in line]


def test_the_opus_library_is_told_with_what_it_can_do_and_what_was_passed_over() -> None:
    plain = OpusCopy(path="/wheel/libopus.so", origin="pyav", name="libopus 1.6.1")
    deep = OpusCopy(path="/lib/libopus.so.0", origin="system", name="libopus 1.5.2", deep_plc=True, osce=True)
    old = OpusCopy(path="/old/libopus.so", origin="system", passed_over="it is libopus 1.2, older than 1.3")
    assert lines(None) == []
    assert lines(OpusLibraries(plain)) == [
        "  opus    libopus 1.6.1, without deep PLC and DRED: /wheel/libopus.so"
    ]
    assert lines(OpusLibraries(deep, (plain, old))) == [
        "  opus    libopus 1.5.2, with deep PLC, OSCE: /lib/libopus.so.0",
        "          passed over: /old/libopus.so: it is libopus 1.2, older than 1.3",
    ]
