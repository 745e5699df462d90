"""From a device's name to a device that is ready to start."""

from pathlib import Path

from blink_cli.audio.devices.interface import InputDevice, OutputDevice
from blink_cli.audio.devices.portaudio import PortAudioInput, PortAudioOutput
from blink_cli.audio.devices.sounds import FileSound, Silence, Tone
from blink_cli.audio.devices.virtual_input import VirtualInput
from blink_cli.audio.devices.virtual_output import Nobody, VirtualOutput
from blink_cli.audio.devices.wav_recorder import WavRecorder, already_written
from blink_cli.core.device_name import (
    DefaultDevice,
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

    def __init__(self) -> None:
        self._recorders: dict[Path, WavRecorder] = {}

    def open_input(self, text: str) -> InputDevice:
        """Return the microphone that `text` names, not started.

        Raises:
            UsageError: `text` is not an input's name.
            NotFoundError: The system has no such device, or several fit.
            DeviceError: It cannot be opened.

        """
        match parse_input_name(text):
            case FileDevice(path, loop, drift_ppm) as name:
                return VirtualInput(str(name), FileSound(_place(path), loop=loop), drift_ppm)
            case ToneDevice(frequency_hz, drift_ppm) as name:
                return VirtualInput(str(name), Tone(frequency_hz), drift_ppm)
            case SilenceDevice(drift_ppm) as name:
                return VirtualInput(str(name), Silence(), drift_ppm)
            case DefaultDevice() | NamedDevice() as name:
                return PortAudioInput(name)

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
            case WavDevice(path, drift_ppm) as name:
                place = _place(path)
                if place == _file_of(beside):
                    raise DeviceError(f"{place} is what the microphone plays.", hint="choose another file")
                return VirtualOutput(str(name), self._recorder(place), drift_ppm)
            case DefaultDevice() | NamedDevice() as name:
                return PortAudioOutput(name)

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


def _place(path: str) -> Path:
    # Shells do not expand `~` behind `file:`.
    return Path(path).expanduser().resolve()
