"""From a device's name to a device that is ready to start."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from blink_cli.audio.devices.engine import OutputChannels
from blink_cli.audio.devices.plain_sounds import Silence, Tone
from blink_cli.audio.devices.virtual_input import VirtualInput
from blink_cli.audio.devices.virtual_output import Nobody, VirtualOutput
from blink_cli.core.api.device_name import (
    DefaultDevice,
    EchoDevice,
    EchoEar,
    FileDevice,
    NamedDevice,
    NullDevice,
    SilenceDevice,
    ToneDevice,
    WavDevice,
    parse_input_name,
    parse_output_name,
)
from blink_cli.core.errors import DeviceError
from blink_cli.runtime.on_demand import on_demand

if TYPE_CHECKING:
    from blink_cli.audio.devices import (
        echo_loop,
        sounds,
        system_engines,
        system_input,
        system_output,
        wav_recorder,
    )
    from blink_cli.audio.devices.interface import InputDevice, OutputDevice
    from blink_cli.audio.devices.system_engines import Direction
    from blink_cli.audio.devices.wav_recorder import WavRecorder
else:
    echo_loop = on_demand("blink_cli.audio.devices.echo_loop")
    sounds = on_demand("blink_cli.audio.devices.sounds")
    system_engines = on_demand("blink_cli.audio.devices.system_engines")
    system_input = on_demand("blink_cli.audio.devices.system_input")
    system_output = on_demand("blink_cli.audio.devices.system_output")
    wav_recorder = on_demand("blink_cli.audio.devices.wav_recorder")


class DeviceOpener:
    """One per session: it remembers which WAV files the session began, because it continues those and replaces others.

    Opening may ask the sound system, in a process of its own, and block for some 0.2 s: call it in a worker thread.
    """

    def __init__(self, outputs: OutputChannels = OutputChannels.VOICE) -> None:
        """Have opened nothing. `outputs` says which channels of the system's speakers are written."""
        self._recorders: dict[Path, WavRecorder] = {}
        self._outputs = outputs

    @functools.cached_property
    def _engines(self) -> system_engines.SystemEngines:
        return system_engines.SystemEngines(self._outputs)

    @functools.cached_property
    def _echo(self) -> echo_loop.EchoLoop:
        return echo_loop.EchoLoop()

    def open_input(self, text: str) -> InputDevice:
        """Return the microphone that `text` names, not started.

        Raises:
            UsageError: `text` is not an input's name.
            NotFoundError: The system has no such device, or several fit.
            DeviceError: It cannot be opened.

        """
        match parse_input_name(text):
            case FileDevice(path, loop, drift_ppm, channel, phase_ms) as name:
                sound = sounds.FileSound(_place(path), loop=loop, channel=channel)
                return VirtualInput(str(name), sound, drift_ppm, phase_ms=phase_ms, channels=sound.width)
            case ToneDevice(frequency_hz, drift_ppm, phase_ms) as name:
                return VirtualInput(str(name), Tone(frequency_hz), drift_ppm, phase_ms=phase_ms)
            case EchoDevice(stretch_s) as name:
                return self._echo.microphone(str(name), stretch_s)
            case SilenceDevice(drift_ppm, phase_ms) as name:
                return VirtualInput(str(name), Silence(), drift_ppm, phase_ms=phase_ms)
            case DefaultDevice(channel) | NamedDevice(_, channel) as name:
                return system_input.SystemInput(
                    self._engines.find("input", replace(name, channel=None)), channel
                )

    def open_output(self, text: str, *, beside: str | None = None) -> OutputDevice:
        """Return the speaker that `text` names, not started.

        Args:
            text: Its name.
            beside: The input in use: a file that it plays is not written over.

        Raises:
            UsageError: `text` is not an output's name.
            NotFoundError: The system has no such device, or several fit.
            DeviceError: It cannot be opened.

        """
        match parse_output_name(text):
            case NullDevice(drift_ppm, phase_ms) as name:
                return VirtualOutput(str(name), Nobody(), drift_ppm, phase_ms=phase_ms)
            case EchoEar():
                return self._echo.ear
            case WavDevice(path, drift_ppm, phase_ms) as name:
                place = _written_place(path)
                if place == _file_of(beside):
                    raise DeviceError(f"{place} is what the microphone plays.", hint="Choose another file.")
                return VirtualOutput(str(name), self._recorder(place), drift_ppm, phase_ms=phase_ms)
            case DefaultDevice() | NamedDevice() as name:
                return system_output.SystemOutput(self._engines.find("output", name))

    @property
    def server_seen(self) -> bool:
        """Whether a sound server was there when a device was opened."""
        return self._engines.server_seen

    def may_return(self, direction: Direction, text: str) -> bool:
        """Whether a device of this name can come and go: those of the system can."""
        name = parse_input_name(text) if direction == "input" else parse_output_name(text)
        return isinstance(name, DefaultDevice | NamedDevice)

    def served(self, direction: Direction, text: str) -> bool:
        """Whether the sound server answers and has this device now. Blocks for some 5 ms, for seconds where it hangs."""
        name = parse_input_name(text) if direction == "input" else parse_output_name(text)
        return isinstance(name, DefaultDevice | NamedDevice) and self._engines.served(direction, name)

    def _recorder(self, place: Path) -> WavRecorder:
        earlier = self._recorders.get(place)
        if earlier is None:
            earlier = self._recorders[place] = wav_recorder.WavRecorder(place)
        elif earlier.recording:
            raise wav_recorder.already_written(place)
        return earlier


def _file_of(text: str | None) -> Path | None:
    """The file that an input's name names, if any."""
    name = None if text is None else parse_input_name(text)
    return _place(name.path) if isinstance(name, FileDevice) else None


def _written_place(path: str) -> Path:
    # One name for each file, however its folder is named; but a link in place of the file stays one, and is refused.
    named = Path(os.path.expanduser(path)).absolute()  # noqa: PTH111
    return named.parent.resolve() / named.name


def _place(path: str) -> Path:
    # Shells do not expand `~` behind `file:`; and a file whose name begins with it is no home directory.
    return Path(os.path.expanduser(path)).resolve()  # noqa: PTH111
