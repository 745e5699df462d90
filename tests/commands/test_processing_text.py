"""What is done to the microphone's sound, as people read it."""

import msgspec
import pytest

from blink_cli.commands.processing_text import not_running, processing_in_short, processing_lines
from blink_cli.commands.show.panel import heading_lines
from blink_cli.commands.show.styled import plain
from blink_cli.core.api.replies.processing import ProcessingState
from blink_cli.core.media.processing_settings import EchoCancel, NoiseSuppress, ProcessingSettings
from tests.commands.test_panel import IDLE, PEOPLE, in_call
from tests.support.scripted_session import processing

pytestmark = pytest.mark.no_clock

ALL_ON = ProcessingSettings(EchoCancel.ON, NoiseSuppress.HIGH, auto_gain=True)


def unavailable(state: ProcessingState) -> ProcessingState:
    echo = msgspec.structs.replace(
        state.echo,
        state="unavailable",
        reason="The library is not installed: `pip install x`.",
        removed_db=None,
        delay_ms=None,
    )
    return msgspec.structs.replace(state, echo=echo)


def test_lines_say_what_was_chosen_and_what_it_does() -> None:
    assert list(processing_lines(processing())) == [
        "echo    auto: off (at the ear: USB Headset)",
        "noise   off",
        "gain    off",
    ]
    assert list(processing_lines(processing(ALL_ON))) == [
        "echo    on, 35 dB removed, it comes 61 ms late",
        "noise   high",
        "gain    on",
    ]
    assert next(processing_lines(unavailable(processing(ALL_ON)))) == (
        "echo    on, but not possible: the library is not installed: `pip install x`"
    )


def test_every_line_of_the_status_begins_in_its_column() -> None:
    lines = list(processing_lines(processing(ProcessingSettings(automute=True))))
    assert lines[-1] == "mute    automute on"
    assert {line.index(line.split()[1]) for line in lines} == {8}


def test_in_a_call_the_panel_shows_in_few_words_what_runs_and_what_cannot() -> None:
    assert processing_in_short(processing()) == ""
    assert processing_in_short(processing(ALL_ON)) == "echo -35 dB, noise high, gain auto"
    assert not_running(processing(ALL_ON)) == ""
    state = unavailable(processing(ALL_ON))
    (heading,) = [plain(one) for one in heading_lines(in_call(*PEOPLE, processing=state), 120)]
    assert "echo cancelling is not possible" in heading
    assert "noise high, gain auto" in heading
    idle = msgspec.structs.replace(IDLE, processing=state)
    assert [plain(one) for one in heading_lines(idle, 120)] == ["not in a call"]
