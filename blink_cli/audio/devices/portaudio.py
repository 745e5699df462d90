"""The system's devices, through sounddevice and PortAudio. The only module that imports sounddevice.

Block sizes are PortAudio's choice (`blocksize=0`), since it knows the hardware's. Streams are ended with `abort` and never from a callback:
`stop` waits for up to two seconds behind some sound servers, and `close` from `finished_callback` can hang for good (sounddevice issue 78).

sounddevice is imported when the first device is asked for: it needs the library libportaudio2, and the program must run without it.
"""

import contextlib
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, ClassVar, Final, Literal, TypeVar

from blink_cli.audio.devices.engine import BlockCallback, OutputChannels
from blink_cli.audio.devices.interface import DeviceParameters, DevicePlace
from blink_cli.audio.devices.libasound import libasound
from blink_cli.audio.devices.listing import portaudio_devices
from blink_cli.audio.devices.system_device import SystemDeviceInfo
from blink_cli.audio.samples import Samples
from blink_cli.core.api.device_name import FILE_KINDS, DefaultDevice, NamedDevice, SystemDevice, choose_device
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import DeviceError, NotFoundError

MOST_CHANNELS: Final = 32
"""Of an input: more than any mixing desk sends over one cable."""

LATENCY_S: Final = 0.02
"""Asked of PortAudio: four callbacks' worth there. "low" underruns behind PulseAudio, "high" is delay that everybody hears."""

STOP_S: Final = 2.0
"""How long a device has to be let go; they take 1 to 5 ms."""

BUSY_S: Final = 4.0
"""How long another thread may be inside PortAudio: opening a device takes some 0.3 s."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


def library() -> Any:
    """Return the module sounddevice. Typed as Any: it carries no annotations.

    Raises:
        DeviceError: PortAudio is not installed, or does not start.

    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # its errors come as PortAudio's
            libasound()
    try:
        import sounddevice  # noqa: PLC0415 - only when a system device is asked for: see above
    except OSError as error:
        raise DeviceError(
            f"The system's audio devices cannot be used: PortAudio is missing ({error}).",
            hint=f"{_install_hint()}; file:, tone:, silence, null and wav: devices work without it.",
        ) from error
    return sounddevice


def list_devices() -> list[SystemDeviceInfo]:
    """Return what PortAudio found when this process first asked it: use `listing` for the present truth.

    Raises:
        DeviceError: As `library`.

    """
    sd = library()
    default_input, default_output = sd.default.device
    apis = sd.query_hostapis()
    return [
        SystemDeviceInfo(
            name=device["name"],
            host_api=apis[device["hostapi"]]["name"],
            inputs=device["max_input_channels"],
            outputs=device["max_output_channels"],
            default_input=device["index"] == default_input,
            default_output=device["index"] == default_output,
            sample_rate=device["default_samplerate"],
        )
        for device in sd.query_devices()
    ]


def _install_hint() -> str:
    if sys.platform == "darwin":
        return "install it with `brew install portaudio`"
    return "install it with `apt install libportaudio2`"


class PortAudioEngine:
    """Implements `Engine`: finds the device, opens and ends its stream, notices that it ended by itself."""

    raised_latency_s: float | None = None
    lost_frames = 0
    """An overflow of PortAudio's own shows as missing frames."""

    _open_engines: ClassVar[set["PortAudioEngine"]] = set()
    _opening: ClassVar[threading.Lock] = threading.Lock()
    """PortAudio's functions other than reading and writing are not thread-safe (its documentation says so)."""

    def __init__(
        self,
        direction: Literal["input", "output"],
        name: SystemDevice,
        latency_s: float = LATENCY_S,
        *,
        outputs: OutputChannels = OutputChannels.VOICE,
    ) -> None:
        """Find the device and what it can do. Nothing is captured or played yet.

        Raises:
            NotFoundError: The system has no such device, or several fit.
            DeviceError: It, or PortAudio, cannot be used.

        """
        self._direction = direction
        self._name: SystemDevice = name
        self._wanted_latency_s = latency_s
        self._outputs = outputs
        self._stream: Any = None
        self._callback: BlockCallback | None = None
        self._failure: str | None = None
        self._ending = False
        library()
        with self._using():
            rate_hz, channels = self._with_present_list(self._settings)
        self._parameters = DeviceParameters(str(self._name), rate_hz, channels, virtual=False)

    @property
    def parameters(self) -> DeviceParameters:
        """48 kHz and one channel where the device can do that, else what it prefers."""
        return self._parameters

    @property
    def running(self) -> bool:
        """Whether the stream is open."""
        return self._stream is not None

    @property
    def failure(self) -> str | None:
        """A sentence, once the stream has ended by itself."""
        return self._failure

    @property
    def place(self) -> DevicePlace | None:
        """PortAudio does not say where ALSA's plugins bring the sound."""
        return None

    def start(self, callback: BlockCallback) -> None:
        """Open the stream and start it: a few ms, or as long as the sound server takes."""
        self._failure = None
        self._callback = callback
        with self._using():
            self._with_present_list(self.begin_stream)
            self._open_engines.add(self)

    def stop(self) -> None:
        """End the stream and let go of the device."""
        self._ending = True
        ending = threading.Thread(
            target=self._end, name=f"blink-portaudio-{self._direction}-end", daemon=True
        )
        ending.start()
        ending.join(STOP_S)
        if ending.is_alive():
            self._stream = None
            _log.info("PortAudio does not let go of %s; it is left alone", self._name)

    def _end(self) -> None:
        try:
            with self._using():
                self._open_engines.discard(self)
                self.end_stream()
        except DeviceError as error:
            _log.info("%s is not let go: %s", self._name, error.message)

    @contextlib.contextmanager
    def _using(self) -> Iterator[None]:
        """Use PortAudio alone.

        Raises:
            DeviceError: Another thread is inside it and does not come back.

        """
        if not self._opening.acquire(timeout=BUSY_S):
            raise DeviceError(
                "PortAudio does not answer: a device holds it.",
                hint="End the session and start it again; the sound server's devices and virtual ones work.",
            )
        try:
            yield
        finally:
            self._opening.release()

    def _with_present_list(self, attempt: Callable[[], T]) -> T:
        """Return what `attempt` does; if it fails and devices came or went since PortAudio looked, let it look again and retry."""
        try:
            return attempt()
        except (DeviceError, NotFoundError):
            if portaudio_devices() == list_devices():
                raise
        self._look_again()
        return attempt()

    @classmethod
    def _look_again(cls) -> None:
        """Start PortAudio anew, which is how it learns of changes. Every stream is ended and opened again: some 20 ms are lost."""
        sd = library()
        for engine in cls._open_engines:
            engine.end_stream()
        # Its author names these two for this purpose (sounddevice issue 125).
        sd._terminate()  # noqa: SLF001
        sd._initialize()  # noqa: SLF001
        for engine in cls._open_engines:
            engine.resume_stream()

    def _settings(self) -> tuple[int, int]:
        """Return a rate and channel count that the device accepts, best first."""
        sd = library()
        index = self._index(sd)
        try:
            info = sd.query_devices(index, self._direction)
        except (sd.PortAudioError, ValueError) as error:
            raise self._unusable(error) from error
        own_rate_hz = int(info["default_samplerate"])
        most = int(info[f"max_{self._direction}_channels"])
        counts = (
            (_heard_channels(str(info["name"]), most), 2, 1)
            if self._direction == "input" or self._outputs is OutputChannels.EVERY
            else (1, min(2, most))
        )
        refusal: Exception | None = None
        for rate_hz, channels in product((SAMPLE_RATE_HZ, own_rate_hz), counts):
            if channels > most:
                continue
            check = sd.check_input_settings if self._direction == "input" else sd.check_output_settings
            try:
                check(device=index, channels=channels, dtype="float32", samplerate=rate_hz)
            except (sd.PortAudioError, ValueError) as error:
                refusal = error
            else:
                return rate_hz, channels
        assert refusal is not None, "the loop either returns or is refused"
        raise self._unusable(refusal)

    def _index(self, sd: Any) -> int | None:
        """Return PortAudio's number for the device at this moment: numbers move when devices come and go."""
        if isinstance(self._name, DefaultDevice):
            if sd.default.device[0 if self._direction == "input" else 1] < 0:
                virtual = (
                    "silence, tone:440 or file:PATH" if self._direction == "input" else "null or wav:PATH"
                )
                raise DeviceError(
                    f"The system has no {self._direction} device.",
                    hint=f"Plug one in, start a sound server, or use a virtual one: {virtual}.",
                )
            return None
        # Where host APIs name the same device, the first one is PortAudio's own preference.
        listed = reversed(sd.query_devices())
        devices = {d["name"]: d["index"] for d in listed if d[f"max_{self._direction}_channels"] > 0}
        # From now on it is known by its whole name, which no device that comes later can make ambiguous.
        self._name = NamedDevice(choose_device(self._name.text, list(devices), FILE_KINDS[self._direction]))
        index: int = devices[self._name.text]
        return index

    def begin_stream(self) -> None:
        """Open the stream and start it. Only with `_opening` held."""
        sd = library()
        self._ending = False
        try:
            self._stream = self._make_stream(
                sd,
                device=self._index(sd),
                samplerate=self._parameters.sample_rate_hz,
                channels=self._parameters.channels,
                dtype="float32",
                blocksize=0,
                latency=self._wanted_latency_s,
                finished_callback=self._finished,
            )
            self._stream.start()
        except (sd.PortAudioError, ValueError) as error:
            self.end_stream()
            raise self._unusable(error) from error

    def resume_stream(self) -> None:
        """Open the stream again after PortAudio was started anew; if that fails, the device is gone. Only with `_opening` held."""
        try:
            self.begin_stream()
        except (DeviceError, NotFoundError) as error:
            self._failure = error.message

    def end_stream(self) -> None:
        """End the stream, if there is one. Only with `_opening` held."""
        self._ending = True
        stream, self._stream = self._stream, None
        if stream is not None:
            # A stream whose device was pulled out may refuse to end in an orderly way; it is gone all the same.
            with contextlib.suppress(library().PortAudioError):
                stream.abort()
            with contextlib.suppress(library().PortAudioError):
                stream.close()

    def _make_stream(self, sd: Any, **settings: Any) -> Any:
        assert self._callback is not None, "only `start` leads here"
        callback = self._callback

        def captured(block: Samples, _frames: int, times: Any, _status: Any) -> None:
            callback(block, times.currentTime - times.inputBufferAdcTime)

        def wanted(block: Samples, _frames: int, times: Any, _status: Any) -> None:
            callback(block, times.outputBufferDacTime - times.currentTime)

        if self._direction == "input":
            return sd.InputStream(callback=captured, **settings)
        return sd.OutputStream(callback=wanted, **settings)

    def _finished(self) -> None:
        # On PortAudio's thread: a flag, and nothing else.
        if not self._ending:
            self._failure = f"The sound system ended the {self._direction} device {self._name}."

    def _unusable(self, error: Exception) -> DeviceError:
        return DeviceError(
            f"The {self._direction} device {self._name} cannot be used: {str(error).rstrip('.')}.",
            hint="Another program may hold it; `blink list-devices` lists all.",
        )


def _heard_channels(name: str, most: int) -> int:
    """Return how many channels of an input to open: all, since the right one may be any of them.

    ALSA's plugins take as many as one likes and fill them with copies: of these two.
    """
    plugin = sys.platform == "linux" and most >= MOST_CHANNELS and "(hw:" not in name
    return 2 if plugin else min(most, MOST_CHANNELS)
