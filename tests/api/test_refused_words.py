"""What cannot be meant is a sentence, at once, and never a check that passes or waits for ever."""

from typing import cast

import pytest

import blink_cli as blink
from blink_cli.api.checking import check, read_expectations
from blink_cli.api.recorder import Recorder
from blink_cli.core.api.requests import RecordingFormat
from blink_cli.core.api.session_port import SessionPort

pytestmark = pytest.mark.no_clock


def test_a_check_of_nothing_is_refused() -> None:
    """A list of expectations that came out empty would always pass."""
    with pytest.raises(blink.UsageError, match="Nothing is expected"):
        read_expectations([])


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf"), 86_401.0])
async def test_a_look_that_never_ends_is_refused(seconds: float) -> None:
    """Before the session is asked anything."""
    with pytest.raises(blink.UsageError, match="are not possible"):
        await check(cast("SessionPort", None), read_expectations(["loss<1%"]), seconds)


async def test_a_format_that_nobody_writes_is_refused() -> None:
    recorder = Recorder(cast("SessionPort", None))
    with pytest.raises(blink.UsageError, match="no format 'zip'"):
        await recorder.start(formats=("mp4", cast("RecordingFormat", "zip")))
