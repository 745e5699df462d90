"""From what the user chose, the devices and the chain's figures to what the chain is told, and to what users are."""

import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from blink_cli.app.media.sound_processing import SoundProcessing
from blink_cli.audio.processing.figures import (
    PASSED_BY,
    EchoFigures,
    FilterName,
    ProcessingFigures,
    UnavailableFilter,
)
from blink_cli.core.api.events import Event, ProcessingUnavailable
from blink_cli.core.media.processing_settings import (
    EchoCancel,
    NoiseSuppress,
    ProcessingChoice,
    ProcessingSettings,
)
from tests.app.voice_bench import VoiceBench, voice_bench

pytestmark = pytest.mark.no_clock

MISSING = "The library for it is not installed."


def figures(**changed: Any) -> ProcessingFigures:
    """Of a chain that does nothing, some of them changed."""
    nothing: dict[str, Any] = {
        "echo": None, "noise_removed_db": None, "gain_db": None, "delay_ms": 0.0, "cost_us": None, "unavailable": (),
    }  # fmt: skip
    return ProcessingFigures(**{**nothing, **changed})


def missing(*names: FilterName) -> ProcessingFigures:
    return figures(unavailable=tuple(UnavailableFilter(name, MISSING) for name in names))


@pytest.fixture
async def bench() -> AsyncIterator[VoiceBench]:
    async with voice_bench() as made:
        yield made


def processing(
    bench: VoiceBench,
    events: list[Event],
    chosen: ProcessingSettings | None = None,
    measured: ProcessingFigures | None = None,
) -> SoundProcessing:
    bench.voice.processing_figures = lambda: measured  # type: ignore[method-assign] # no media run
    return SoundProcessing(bench.voice, bench.automute, chosen or ProcessingSettings(), events.append)


ALL_ON = ProcessingSettings(EchoCancel.ON, NoiseSuppress.LOW, auto_gain=True)
ALL_RUN = figures(
    echo=EchoFigures(35.26, 61.0), noise_removed_db=11.94, gain_db=6.0, delay_ms=10.0, cost_us=123.44
)


async def test_what_auto_finds_is_shown_before_any_call(bench: VoiceBench) -> None:
    echo = processing(bench, []).state().echo
    assert (echo.chosen, echo.state, echo.reason) == (
        "auto",
        "off",
        "the input is tone:440, not a microphone",
    )


async def test_a_choice_counts_at_once_and_leaves_the_others(bench: VoiceBench) -> None:
    made = processing(bench, [], ProcessingSettings(auto_gain=True))
    await made.choose(ProcessingChoice(echo_cancel=EchoCancel.ON))
    await made.choose(ProcessingChoice(noise_suppress=NoiseSuppress.HIGH))
    assert bench.voice.processing == ProcessingSettings(EchoCancel.ON, NoiseSuppress.HIGH, auto_gain=True)


async def test_figures_are_shown_beside_what_was_chosen(bench: VoiceBench) -> None:
    state = processing(bench, [], ALL_ON, ALL_RUN).state()
    assert (state.echo.state, state.echo.removed_db, state.echo.delay_ms) == ("on", 35.3, 61.0)
    assert (state.noise.state, state.noise.removed_db) == ("low", 11.9)
    assert (state.gain.state, state.gain.gain_db) == ("on", 6.0)
    assert (state.delay_ms, state.cost_us) == (10.0, 123.4)


async def test_what_was_just_switched_off_has_no_figures(bench: VoiceBench) -> None:
    state = processing(bench, [], ProcessingSettings(EchoCancel.OFF), ALL_RUN).state()
    assert (state.echo.removed_db, state.echo.delay_ms) == (None, None)
    assert (state.noise.removed_db, state.gain.gain_db) == (None, None)


async def test_what_cannot_run_is_told_once_and_shown_for_as_long_as_it_is_so(bench: VoiceBench) -> None:
    events: list[Event] = []
    made = processing(bench, events, ALL_ON, missing(FilterName.ECHO, FilterName.GAIN))
    for _ in range(3):
        made.look()
    told = ProcessingUnavailable(filters=("echo", "gain"), reason=MISSING)
    assert events == [told]
    state = made.state()
    assert (state.echo.state, state.echo.reason) == ("unavailable", MISSING)
    assert (state.gain.state, state.gain.reason) == ("unavailable", MISSING)
    assert (state.noise.state, state.noise.reason) == ("low", None)

    await made.choose(ProcessingChoice(auto_gain=True))  # asked again: answered again
    assert events == [told, told]


async def test_nothing_is_missed_that_was_not_asked_for(bench: VoiceBench) -> None:
    events: list[Event] = []
    made = processing(bench, events, measured=missing(*FilterName))
    made.look()
    assert events == []
    assert made.state().echo.state == "off"


async def test_a_library_that_is_not_there_is_told_before_any_call(
    bench: VoiceBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pywebrtc_audio", None)  # importing it fails
    events: list[Event] = []
    made = processing(bench, events)
    await made.find_out()
    assert made.state().echo.state == "off"
    await made.choose(ProcessingChoice(noise_suppress=NoiseSuppress.LOW))
    (told,) = events
    assert isinstance(told, ProcessingUnavailable)
    assert told.filters == ("noise",)
    assert "pywebrtc-audio" in told.reason
    assert "blink doctor" in told.reason
    assert made.state().noise.state == "unavailable"


async def test_two_channels_pass_the_filters_by_and_that_is_said(bench: VoiceBench) -> None:
    events: list[Event] = []
    made = processing(bench, events, ALL_ON, PASSED_BY)
    made.look()
    (told,) = events
    assert isinstance(told, ProcessingUnavailable)
    assert told.filters == ("echo", "noise", "gain")
    assert "codec set channels=1" in told.reason
    assert made.state().echo.state == "unavailable"
