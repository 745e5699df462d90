"""The system's devices, through sounddevice and PortAudio. The only module that imports sounddevice.

    PortAudio's thread ── callback ──> ring ──> capture thread
    playout thread ──> ring ── callback ──> PortAudio's thread

Callbacks copy and count, nothing else. Block sizes are PortAudio's choice (`blocksize=0`), since it knows the hardware's. Streams are ended
with `abort` and never from a callback: `stop` waits for up to two seconds behind some sound servers, and `close` from
`finished_callback` can hang for good (sounddevice issue 78).

sounddevice is imported when the first device is asked for: it needs the library libportaudio2, and the program must run without it.
"""

import contextlib
import ctypes
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar, Final, TypeVar

import numpy as np

from blink_cli.audio.devices.demand import Demand
from blink_cli.audio.devices.interface import DeviceParameters, DeviceReading
from blink_cli.audio.devices.listing import system_devices
from blink_cli.audio.devices.system_device import SystemDeviceInfo
from blink_cli.audio.ring import FrameRing
from blink_cli.audio.samples import Samples
from blink_cli.core.device_name import DefaultDevice, NamedDevice, SystemDevice, choose_device
from blink_cli.core.errors import DeviceError, NotFoundError
from blink_cli.core.voice import SAMPLE_RATE_HZ, TICK_MS

LATENCY_S: Final = 0.02
"""Asked of PortAudio: four callbacks' worth there. "low" underruns behind PulseAudio, "high" is delay that everybody hears."""

RING_S: Final = 0.5
"""How long one of our threads may be away before samples are lost."""

MARGIN_S: Final = 0.003
"""What the output queue holds above the device's demand: the playout thread's usual lateness."""

MARGIN_STEP_S: Final = 0.0025
MARGIN_HIGHEST_S: Final = 0.06
SETTLING_S: Final = 0.5
"""While a stream starts, sound servers take more than they will later; that is no reason for a larger margin."""

POLL_S: Final = 0.001
"""How often a thread looks again when a callback is late. Callbacks cannot wake it: that would take a lock."""

T = TypeVar("T")


def library() -> Any:
    """Return the module sounddevice. Typed as Any: it carries no annotations.

    Raises:
        DeviceError: PortAudio is not installed, or does not start.

    """
    _silence_alsa()
    try:
        import sounddevice  # noqa: PLC0415 - only when a system device is asked for: see above
    except OSError as error:
        raise DeviceError(
            f"The system's audio devices cannot be used: PortAudio is missing ({error}).",
            hint=f"{_install_hint()}; file:, tone:, silence, null and wav: devices work without it",
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


class _PortAudioDevice:
    """What both directions share: finding the device, opening and ending its stream, noticing that it ended by itself."""

    _direction: ClassVar[str]
    _open_devices: ClassVar[set["_PortAudioDevice"]] = set()
    _opening: ClassVar[threading.Lock] = threading.Lock()
    """PortAudio's functions other than reading and writing are not thread-safe (its documentation says so)."""

    def __init__(self, name: SystemDevice, latency_s: float = LATENCY_S) -> None:
        """Find the device and what it can do. Nothing is captured or played yet.

        Raises:
            NotFoundError: The system has no such device, or several fit.
            DeviceError: It, or PortAudio, cannot be used.

        """
        self._name: SystemDevice = name
        self._wanted_latency_s = latency_s
        self._stream: Any = None
        self._failure: str | None = None
        self._ending = False
        self._callbacks = 0
        self._last_callback_s = 0.0
        self._started_s = 0.0
        self._device_latency_s = 0.0
        self._frames = 0
        self._lost_frames = 0
        library()
        with self._opening:
            rate_hz, channels = self._with_present_list(self._settings)
        self._parameters = DeviceParameters(str(self._name), rate_hz, channels, virtual=False)
        self._ring = FrameRing(int(rate_hz * RING_S), channels)

    @property
    def parameters(self) -> DeviceParameters:
        """48 kHz and one channel where the device can do that, else what it prefers."""
        return self._parameters

    def start(self, now_s: float) -> None:
        """Open the stream and start it: a few ms, or as long as the sound server takes."""
        self._failure = None
        self._ring.skip(self._ring.queued)
        self._started_s = now_s
        self._last_callback_s = now_s
        with self._opening:
            self._with_present_list(self.begin_stream)
            self._open_devices.add(self)

    def stop(self) -> None:
        """End the stream and let go of the device."""
        with self._opening:
            self._open_devices.discard(self)
            self.end_stream()

    def reading(self, now_s: float) -> DeviceReading:
        """Return how it does. Frames stand still when callbacks do."""
        del now_s  # nothing here is extrapolated
        return DeviceReading(
            running=self._stream is not None,
            frames=self._frames,
            lost_frames=self._lost_frames,
            queued_frames=self._ring.queued,
            latency_s=self._device_latency_s + self._ring.queued / self._parameters.sample_rate_hz,
            failure=self._failure,
        )

    def _with_present_list(self, attempt: Callable[[], T]) -> T:
        """Return what `attempt` does; if it fails and devices came or went since PortAudio looked, let it look again and retry."""
        try:
            return attempt()
        except (DeviceError, NotFoundError):
            if system_devices() == list_devices():
                raise
        self._look_again()
        return attempt()

    @classmethod
    def _look_again(cls) -> None:
        """Start PortAudio anew, which is how it learns of changes. Every stream is ended and opened again: some 20 ms are lost."""
        sd = library()
        for device in cls._open_devices:
            device.end_stream()
        # Its author names these two for this purpose (sounddevice issue 125).
        sd._terminate()  # noqa: SLF001
        sd._initialize()  # noqa: SLF001
        for device in cls._open_devices:
            device.resume_stream()

    def _settings(self) -> tuple[int, int]:
        """Return a rate and channel count that the device accepts, best first."""
        sd = library()
        index = self._index(sd)
        try:
            info = sd.query_devices(index, self._direction)
        except (sd.PortAudioError, ValueError) as error:
            raise self._unusable(error) from error
        own_rate_hz = int(info["default_samplerate"])
        own_channels = min(2, int(info[f"max_{self._direction}_channels"]))
        refusal: Exception | None = None
        for rate_hz, channels in (
            (SAMPLE_RATE_HZ, 1),
            (SAMPLE_RATE_HZ, own_channels),
            (own_rate_hz, 1),
            (own_rate_hz, own_channels),
        ):
            try:
                self._check(sd, index, rate_hz, channels)
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
                    hint=f"plug one in, start a sound server, or use a virtual one: {virtual}",
                )
            return None
        # Where host APIs name the same device, the first one is PortAudio's own preference.
        listed = reversed(sd.query_devices())
        devices = {d["name"]: d["index"] for d in listed if d[f"max_{self._direction}_channels"] > 0}
        # From now on it is known by its whole name, which no device that comes later can make ambiguous.
        self._name = NamedDevice(choose_device(self._name.text, list(devices)))
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
            self._device_latency_s = float(self._stream.latency)
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

    def _check(self, sd: Any, index: int | None, rate_hz: int, channels: int) -> None:
        raise NotImplementedError

    def _make_stream(self, sd: Any, **settings: Any) -> Any:
        raise NotImplementedError

    def _finished(self) -> None:
        # On PortAudio's thread: a flag, and nothing else.
        if not self._ending:
            self._failure = f"The sound system ended the {self._direction} device {self._name}."

    def _unusable(self, error: Exception) -> DeviceError:
        return DeviceError(
            f"The {self._direction} device {self._name} cannot be used: {error}",
            hint="see `blink list-devices`; another program may hold it",
        )

    def _next_callback_s(self, now_s: float, usual_frames: int) -> float:
        expected_s = self._last_callback_s + usual_frames / self._parameters.sample_rate_hz
        return max(expected_s, now_s + POLL_S)


class PortAudioInput(_PortAudioDevice):
    """A microphone of the system."""

    _direction = "input"
    _callback_frames = SAMPLE_RATE_HZ * TICK_MS // 1000

    def ready_s(self, frames: int, now_s: float) -> float:
        """Return when the callback that completes `frames` came, or is expected."""
        missing = frames - self._ring.queued
        return (
            self._last_callback_s
            if missing <= 0
            else self._next_callback_s(now_s, min(missing, self._callback_frames))
        )

    def read(self, frames: int) -> Samples:
        """Return up to `frames` frames that were captured."""
        out: Samples = np.empty((frames, self._parameters.channels), dtype=np.float32)
        return out[: self._ring.read_into(out)]

    def position_s(self, now_s: float) -> float | None:
        """Return the second that is at the microphone at `now_s`: an estimate from the last callback and the device's latency."""
        if self._stream is None or not self._callbacks:
            return None
        return (
            self._frames / self._parameters.sample_rate_hz
            + self._device_latency_s
            + (now_s - self._last_callback_s)
        )

    def _check(self, sd: Any, index: int | None, rate_hz: int, channels: int) -> None:
        sd.check_input_settings(device=index, channels=channels, dtype="float32", samplerate=rate_hz)

    def _make_stream(self, sd: Any, **settings: Any) -> Any:
        return sd.InputStream(callback=self._captured, **settings)

    def _captured(self, indata: Samples, frames: int, times: Any, status: Any) -> None:
        del status  # an overflow of PortAudio's own shows as missing frames
        self._lost_frames += frames - self._ring.write(indata)
        self._frames += frames
        self._callback_frames = frames
        self._device_latency_s = max(0.0, times.currentTime - times.inputBufferAdcTime)
        self._callbacks += 1
        self._last_callback_s = time.monotonic()


class PortAudioOutput(_PortAudioDevice):
    """A speaker of the system."""

    _direction = "output"

    def __init__(self, name: SystemDevice, latency_s: float = LATENCY_S) -> None:
        super().__init__(name, latency_s)
        self._demand = Demand()
        self._margin_s = MARGIN_S
        self._callback_frames = SAMPLE_RATE_HZ * TICK_MS // 1000
        self._lost_before = 0
        self._written = False
        """Before the first block there is nothing that could be missing."""

    def start(self, now_s: float) -> None:
        """Open the stream and start it."""
        self._demand = Demand()
        self._written = False
        super().start(now_s)

    def ready_s(self, now_s: float) -> float:
        """Return when the queue falls, or fell, under the device's demand and a margin that grows when it ran dry."""
        if self._lost_frames != self._lost_before:
            self._lost_before = self._lost_frames
            if now_s - self._started_s > SETTLING_S:
                self._margin_s = min(self._margin_s + MARGIN_STEP_S, MARGIN_HIGHEST_S)
        wanted = self._demand.largest_frames + int(self._margin_s * self._parameters.sample_rate_hz)
        # A queue that cannot hold what is wanted must not be filled for ever.
        wanted = min(wanted, self._ring.capacity // 2)
        if self._ring.queued < wanted:
            return self._last_callback_s
        return self._next_callback_s(now_s, self._callback_frames)

    def write(self, frames: Samples) -> int:
        """Queue `frames`."""
        self._written = True
        return self._ring.write(frames)

    def position_s(self, now_s: float) -> float | None:
        """Return the second that is at the speaker at `now_s`: an estimate from the last callback and the device's latency."""
        if self._stream is None or not self._callbacks:
            return None
        since_s = now_s - self._last_callback_s
        return max(0.0, self._frames / self._parameters.sample_rate_hz - self._device_latency_s + since_s)

    def _check(self, sd: Any, index: int | None, rate_hz: int, channels: int) -> None:
        sd.check_output_settings(device=index, channels=channels, dtype="float32", samplerate=rate_hz)

    def _make_stream(self, sd: Any, **settings: Any) -> Any:
        return sd.OutputStream(callback=self._wanted, **settings)

    def _wanted(self, outdata: Samples, frames: int, times: Any, status: Any) -> None:
        del status  # an underflow of PortAudio's own follows from ours, or is the system's
        got = self._ring.read_into(outdata)
        if got < frames:
            outdata[got:] = 0.0
            if self._written:
                self._lost_frames += frames - got
        self._frames += frames
        self._callback_frames = frames
        self._device_latency_s = max(0.0, times.outputBufferDacTime - times.currentTime)
        self._callbacks += 1
        now_s = time.monotonic()
        self._demand.took(frames, now_s)
        self._last_callback_s = now_s


_ALSA_HANDLER = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)
_quiet_handler = _ALSA_HANDLER(lambda *_: None)
"""Kept for as long as the process lives: ALSA calls it whenever it likes."""


def _silence_alsa() -> None:
    """Keep ALSA from writing its own diagnostics into the user's terminal; what matters comes as errors and counters."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_quiet_handler)
