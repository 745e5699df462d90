"""From a device's name to a device that is ready to start."""

import os
from dataclasses import replace
from pathlib import Path

from blink_cli.audio.devices.echo_loop import EchoLoop
from blink_cli.audio.devices.engine import OutputChannels
from blink_cli.audio.devices.interface import InputDevice, OutputDevice
from blink_cli.audio.devices.sounds import FileSound, Silence, Tone
from blink_cli.audio.devices.system_engines import Direction, SystemEngines
from blink_cli.audio.devices.system_input import SystemInput
from blink_cli.audio.devices.system_output import SystemOutput
from blink_cli.audio.devices.virtual_input import VirtualInput
from blink_cli.audio.devices.virtual_output import Nobody, VirtualOutput
from blink_cli.audio.devices.wav_recorder import WavRecorder, already_written
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


class DeviceOpener:
    """One per session: it remembers which WAV files the session began, because it continues those and replaces others.

    Opening may ask the sound system, in a process of its own, and block for some 0.2 s: call it in a worker thread.
    """

    def __init__(self, outputs: OutputChannels = OutputChannels.VOICE) -> None:
        """Have opened nothing. `outputs` says which channels of the system's speakers are written."""
        self._recorders: dict[Path, WavRecorder] = {}
        self._engines = SystemEngines(outputs)
        self._echo = EchoLoop()

    def open_input(self, text: str) -> InputDevice:
        """Return the microphone that `text` names, not started.

        Raises:
            UsageError: `text` is not an input's name.
            NotFoundError: The system has no such device, or several fit.
            DeviceError: It cannot be opened.

        """
        match parse_input_name(text):
            case FileDevice(path, loop, drift_ppm, channel) as name:
                sound = FileSound(_place(path), loop=loop, channel=channel)
                return VirtualInput(str(name), sound, drift_ppm, channels=sound.width)
            case ToneDevice(frequency_hz, drift_ppm) as name:
                return VirtualInput(str(name), Tone(frequency_hz), drift_ppm)
            case EchoDevice(stretch_s) as name:
                return self._echo.microphone(str(name), stretch_s)
            case SilenceDevice(drift_ppm) as name:
                return VirtualInput(str(name), Silence(), drift_ppm)
            case DefaultDevice(channel) | NamedDevice(_, channel) as name:
                return SystemInput(self._engines.find("input", replace(name, channel=None)), channel)

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
            case NullDevice(drift_ppm) as name:
                return VirtualOutput(str(name), Nobody(), drift_ppm)
            case EchoEar():
                return self._echo.ear
            case WavDevice(path, drift_ppm) as name:
                place = _written_place(path)
                if place == _file_of(beside):
                    raise DeviceError(f"{place} is what the microphone plays.", hint="Choose another file.")
                return VirtualOutput(str(name), self._recorder(place), drift_ppm)
            case DefaultDevice() | NamedDevice() as name:
                return SystemOutput(self._engines.find("output", name))

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
            earlier = self._recorders[place] = WavRecorder(place)
        elif earlier.recording:
            raise already_written(place)
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
