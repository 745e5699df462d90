"""What is done to the microphone's sound before it is encoded: the user's choice."""

from enum import StrEnum
from typing import Any

import msgspec


class EchoCancel(StrEnum):
    """Whether what the speaker plays is taken out of what the microphone hears."""

    ON = "on"
    OFF = "off"
    AUTO = "auto"
    """On where a speaker can be heard by the microphone: not with headsets, files and other virtual devices."""


class NoiseSuppress(StrEnum):
    """How much of steady noise is taken out."""

    OFF = "off"
    LOW = "low"
    HIGH = "high"


class ProcessingSettings(msgspec.Struct, frozen=True):
    """The settings of the capture chain."""

    echo_cancel: EchoCancel = EchoCancel.AUTO
    noise_suppress: NoiseSuppress = NoiseSuppress.OFF
    auto_gain: bool = False
    automute: bool = False
    """Whether one is muted while others talk: not a filter, and chosen like one."""


class ProcessingChoice(msgspec.Struct, frozen=True):
    """Which of these settings somebody chose; None leaves one as it is: what a command says, an option, or a profile remembers."""

    echo_cancel: EchoCancel | None = None
    noise_suppress: NoiseSuppress | None = None
    auto_gain: bool | None = None
    automute: bool | None = None

    def over(self, settings: ProcessingSettings) -> ProcessingSettings:
        """Return these settings with what was chosen in their place."""
        return msgspec.structs.replace(settings, **self._chosen())

    def after(self, earlier: "ProcessingChoice") -> "ProcessingChoice":
        """Return both choices as one: where both say something, this one counts."""
        return msgspec.structs.replace(earlier, **self._chosen())

    def _chosen(self) -> dict[str, Any]:
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}
