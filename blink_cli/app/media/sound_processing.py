"""What is done to the microphone's sound: from what the user chose to the settings of the capture chain, and to what users see.

command, option, memory ──> ProcessingSettings ──> VoicePath.set_processing
devices, figures of the capture chain ──> ProcessingState (`status`), ProcessingUnavailable (event, once for each reason)
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from blink_cli.audio.processing.auto_echo import EchoDecision, echo_decision, sound_device
from blink_cli.audio.processing.figures import FilterName, UnavailableFilter
from blink_cli.audio.voice_activity.choice import is_test_tone, why_no_speech
from blink_cli.core.api.events import Event, ProcessingUnavailable
from blink_cli.core.api.replies.processing import (
    AutomuteState,
    EchoState,
    GainState,
    NoiseState,
    ProcessingState,
    VoiceState,
)
from blink_cli.core.media.processing_settings import NoiseSuppress, ProcessingChoice, ProcessingSettings
from blink_cli.runtime.on_demand import on_demand

if TYPE_CHECKING:
    from collections.abc import Callable

    from blink_cli.app.media.automuting import Automuting
    from blink_cli.app.media.voice_path import VoicePath
    from blink_cli.audio.processing import webrtc
else:
    webrtc = on_demand("blink_cli.audio.processing.webrtc")

UNAVAILABLE: Final = "unavailable"


class SoundProcessing:
    """Belongs to the event loop."""

    def __init__(
        self,
        voice: VoicePath,
        automute: Automuting,
        chosen: ProcessingSettings,
        publish: Callable[[Event], None],
    ) -> None:
        """Apply what was chosen to a voice path and its automute."""
        self._voice = voice
        self._automute = automute
        self._chosen = chosen
        self._publish = publish
        self._absent: str | None = None
        """Why the library is not there, where that is known."""

        self._no_speech: str | None = None
        """Why speech is told by its loudness, where that is so."""

        self._told: set[tuple[tuple[str, ...], str]] = set()
        voice.set_processing(chosen)
        automute.set_enabled(enabled=chosen.automute)

    async def choose(self, choice: ProcessingChoice) -> None:
        """Change what is done, from the next block of sound on, and tell at once what of it cannot run."""
        self._chosen = choice.over(self._chosen)
        self._told.clear()  # who asks again is answered again
        self._voice.set_processing(self._chosen)
        self._automute.set_enabled(enabled=self._chosen.automute)
        await self.find_out()
        self.look()

    async def find_out(self) -> None:
        """Learn which libraries are there: of the filters, if anything was asked for that needs it, and of voice activity."""
        self._no_speech = await asyncio.to_thread(why_no_speech)
        if self._asked():
            self._absent = await asyncio.to_thread(_why_no_filters)

    def look(self) -> None:
        """Tell what cannot run; to be called a few times a second."""
        reasons: dict[str, list[str]] = {}
        if self._no_speech is not None:
            reasons[self._no_speech] = ["voice"]
        for missing in self._unavailable():
            reasons.setdefault(missing.reason, []).append(missing.name)
        for reason, names in reasons.items():
            told = (tuple(names), reason)
            if told not in self._told:
                self._told.add(told)
                self._publish(ProcessingUnavailable(filters=told[0], reason=reason))

    def state(self) -> ProcessingState:
        """What was chosen, and what each does now."""
        figures, decision = self._voice.processing_figures(), self._decision()
        missing = {one.name: one.reason for one in self._unavailable()}
        # The chain's figures are those of a moment ago: what was just switched off may still have some.
        asked = self._asked() - missing.keys() if figures is not None else frozenset[FilterName]()
        echo = figures.echo if figures is not None and FilterName.ECHO in asked else None
        noise_db = figures.noise_removed_db if figures is not None and FilterName.NOISE in asked else None
        gain_db = figures.gain_db if figures is not None and FilterName.GAIN in asked else None
        return ProcessingState(
            echo=EchoState(
                chosen=self._chosen.echo_cancel,
                state=UNAVAILABLE if FilterName.ECHO in missing else _switch(decision.on),
                reason=missing.get(FilterName.ECHO, decision.reason),
                removed_db=None if echo is None else _rounded(echo.removed_db),
                delay_ms=None if echo is None else _rounded(echo.delay_ms),
                own_return_ms=None if echo is None else _rounded(echo.own_return_ms),
            ),
            noise=NoiseState(
                chosen=self._chosen.noise_suppress,
                state=UNAVAILABLE if FilterName.NOISE in missing else self._chosen.noise_suppress.value,
                reason=missing.get(FilterName.NOISE),
                removed_db=_rounded(noise_db),
            ),
            gain=GainState(
                chosen=self._chosen.auto_gain,
                state=UNAVAILABLE if FilterName.GAIN in missing else _switch(self._chosen.auto_gain),
                reason=missing.get(FilterName.GAIN),
                gain_db=_rounded(gain_db),
            ),
            automute=AutomuteState(
                chosen=self._chosen.automute,
                state="muting" if self._automute.muting else _switch(self._automute.enabled),
            ),
            voice=self._voice_state(),
            delay_ms=None if figures is None else _rounded(figures.delay_ms),
            cost_us=None if figures is None else _rounded(figures.cost_us),
        )

    # inside

    def _voice_state(self) -> VoiceState:
        """As `detector_for` chooses."""
        if is_test_tone(self._voice.input_device.parameters):
            return VoiceState(told_by="loudness", reason="a test tone stands for somebody who talks")
        return VoiceState(told_by="speech" if self._no_speech is None else "loudness", reason=self._no_speech)

    def _decision(self) -> EchoDecision:
        """As the chain decides."""
        now_s = time.monotonic()
        devices = self._voice.input_device, self._voice.output_device
        return echo_decision(self._chosen.echo_cancel, *(sound_device(device, now_s) for device in devices))

    def _asked(self) -> frozenset[FilterName]:
        """The filters that are to run."""
        wanted = {
            FilterName.ECHO: self._decision().on,
            FilterName.NOISE: self._chosen.noise_suppress is not NoiseSuppress.OFF,
            FilterName.GAIN: self._chosen.auto_gain,
        }
        return frozenset(name for name, on in wanted.items() if on)

    def _unavailable(self) -> tuple[UnavailableFilter, ...]:
        """Which of them cannot: as the chain found, or while no media run, as is known of the library."""
        asked, figures = self._asked(), self._voice.processing_figures()
        if figures is not None:
            return tuple(one for one in figures.unavailable if one.name in asked)
        if self._absent is None:
            return ()
        return tuple(UnavailableFilter(name, self._absent) for name in FilterName if name in asked)


def _switch(on: bool) -> str:  # noqa: FBT001 - what it says in words
    return "on" if on else "off"


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 1)


def _why_no_filters() -> str | None:
    return webrtc.why_unavailable()  # imported by who asks
