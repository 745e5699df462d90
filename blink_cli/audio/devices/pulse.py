"""Sinks and sources of the sound server, by a connection of each stream's own.

    [thread "blink-pulse-input"]   server ── peek, drop ──> callback
    [thread "blink-pulse-output"]  callback ── write ──> server

A thread of ours turns the connection, so that a server which stands still or dies holds nobody: `start` has a deadline, `stop` needs no
server, and a stream that was moved or ended is known at once.
"""

import ctypes
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final, Literal

import numpy as np
from typing_extensions import override

from blink_cli.audio.devices import libpulse as pa
from blink_cli.audio.devices.engine import BlockCallback, OutputChannels
from blink_cli.audio.devices.engine_thread import EngineThread
from blink_cli.audio.devices.interface import DeviceParameters, DevicePlace
from blink_cli.audio.devices.libpulse import libpulse
from blink_cli.audio.devices.pulse_connection import (
    ANSWER_S,
    PulseConnection,
    ServerDevice,
    SoundServerHangsError,
)
from blink_cli.audio.devices.pulse_place import PlaceWatch
from blink_cli.audio.samples import Samples
from blink_cli.core.api.device_name import DefaultDevice, SystemDevice
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import DeviceError

PLAYED_AHEAD_S: Final = 0.02
"""What the server holds of our sound. It takes more where its device needs more."""

ASKED_AT_ONCE_S: Final = 0.005
CAPTURED_AT_ONCE_S: Final = 0.01

START_S: Final = 4 * ANSWER_S
"""How long a stream has to start: a server that takes so long for each of some answers hangs as well."""

TURN_S: Final = 0.5
"""How long the thread waits for the server at most, so that a missed wake-up is harmless."""

_BYTES: Final = 4


class PulseEngine:
    """Implements `Engine` on a sink or source of the sound server."""

    raised_latency_s: float | None = None
    """The server takes as much ahead as its device needs."""

    def __init__(
        self,
        direction: Literal["input", "output"],
        name: SystemDevice,
        device: ServerDevice,
        outputs: OutputChannels = OutputChannels.VOICE,
    ) -> None:
        """Take what the server said of a device.

        Args:
            direction: What it is used for.
            name: As it was chosen: the default device follows what the server's user does.
            device: The one that is meant at the moment.
            outputs: Which channels of a speaker are written.

        """
        self._direction = direction
        self._follows_default = isinstance(name, DefaultDevice)
        self._device = device
        info = device.info
        # The server converts to one channel and 48 kHz by itself. What is captured is mixed by us, who look at the channels.
        channels = info.inputs if direction == "input" else 1
        if direction == "output" and outputs is OutputChannels.EVERY:
            channels = info.outputs
        self._parameters = DeviceParameters(
            "default" if self._follows_default else info.name,
            SAMPLE_RATE_HZ,
            channels,
            virtual=False,
            description=info.description,
        )
        self._place = device.place
        self._lost_frames = 0
        self._thread: EngineThread | None = None
        self._connection: PulseConnection | None = None
        self._connecting = threading.Lock()
        """Held while the connection is made, woken or closed: a closed one must not be woken."""

        self._running = False

    @property
    def parameters(self) -> DeviceParameters:
        """48 kHz; one channel for an output, the device's own for an input."""
        return self._parameters

    @property
    def running(self) -> bool:
        """Whether the stream is open."""
        return self._running

    @property
    def failure(self) -> str | None:
        """A sentence, once the stream has ended by itself."""
        return None if self._thread is None else self._thread.failure

    @property
    def place(self) -> DevicePlace | None:
        """The sink or source that the stream is on now, or would be."""
        return self._place

    @property
    def lost_frames(self) -> int:
        """Holes in what the server delivered."""
        return self._lost_frames

    def start(self, callback: BlockCallback) -> None:
        """Connect and start: a few ms.

        Raises:
            DeviceError: The server does not let us, is not there, or does not answer in time.

        """
        self.stop()

        def work(begun: Callable[[], None], stopping: threading.Event) -> None:
            self._run(callback, begun, stopping)

        self._thread = None
        thread = EngineThread(f"blink-pulse-{self._direction}", work, self._ended)
        try:
            thread.begin(START_S)
        except TimeoutError:
            raise SoundServerHangsError(
                f"The sound server did not start the {self._direction} {self._parameters.name} within {START_S:g} s.",
                hint="Restart it; virtual devices work without it.",
            ) from None
        self._thread = thread
        self._running = True

    def stop(self) -> None:
        """End the stream. Needs no answer from the server."""
        self._running = False
        if self._thread is not None:
            self._thread.end(self._wake)

    def _wake(self) -> None:
        with self._connecting:
            if self._connection is not None:
                self._connection.wake()

    # The thread.

    def _run(self, callback: BlockCallback, begun: Callable[[], None], stopping: threading.Event) -> None:
        with PulseConnection() as connection:
            stream = self._open_stream(connection, callback)
            try:
                watch = self._await_ready(connection, stream)
                with self._connecting:
                    self._connection = connection
                begun()
                self._turn(connection, stream, watch, stopping)
            finally:
                with self._connecting:
                    self._connection = None
                stream.close()

    def _ended(self, error: Exception) -> DeviceError:
        return DeviceError(f"The stream of {self._parameters.name} ended by an error: {error!r}.")

    def _open_stream(self, connection: PulseConnection, callback: BlockCallback) -> "_Stream":
        kind = _RecordStream if self._direction == "input" else _PlaybackStream
        target = None if self._follows_default else self._device.info.name
        return kind(connection, self._device, self._parameters.channels, target, callback)

    def _await_ready(self, connection: PulseConnection, stream: "_Stream") -> PlaceWatch:
        connection.until(lambda: stream.state == pa.STREAM_READY or stream.state in pa.STREAM_ENDED)
        if stream.state != pa.STREAM_READY:
            raise self._unusable(connection.error())
        watch = PlaceWatch(connection, self._direction, lambda: stream.device_name, self._be_at)
        watch.look()
        connection.until(lambda: watch.answers > 0)
        return watch

    def _turn(
        self, connection: PulseConnection, stream: "_Stream", watch: PlaceWatch, stopping: threading.Event
    ) -> None:
        while not stopping.is_set():
            connection.turn(TURN_S)
            self._lost_frames = stream.lost_frames
            if stream.fault is not None:
                raise stream.fault
            if connection.ended:
                raise DeviceError("The sound server has ended.")
            if stream.state != pa.STREAM_READY:
                raise DeviceError(
                    f"The sound server ended the {self._direction} {self._parameters.name}: it was unplugged, or somebody ended it."
                )
            if stream.moved:
                stream.moved = False
                watch.look()

    def _be_at(self, place: DevicePlace) -> None:
        self._place = place

    def _unusable(self, reason: str) -> DeviceError:
        return DeviceError(
            f"The {self._direction} {self._parameters.name} cannot be used: {reason}.",
            hint="`blink list-devices` lists those that there are.",
        )


class _Stream(ABC):
    """What both directions share. Belongs to the connection's thread."""

    def __init__(
        self,
        connection: PulseConnection,
        device: ServerDevice,
        channels: int,
        target: str | None,
        callback: BlockCallback,
    ) -> None:
        self._pa = libpulse()
        self._channels = channels
        self._callback = callback
        self.lost_frames = 0
        self.fault: Exception | None = None
        """What our callback raised: from within the library nothing can be raised."""

        self.moved = False
        """Set when the server brought the stream to another device."""

        specification = pa.SampleSpec(_float_format(), SAMPLE_RATE_HZ, channels)
        channel_map = device.channel_map if channels == device.channel_map.channels else None
        self._stream = self._pa.pa_stream_new(
            connection.context,
            b"voice",
            ctypes.byref(specification),
            channel_map and ctypes.byref(channel_map),
        )
        if not self._stream:
            raise DeviceError(f"{device.info.name} cannot be used: {connection.error()}.")
        # The library keeps no reference to these.
        self._on_moved = pa.StreamCallback(self._was_moved)
        self._on_data = pa.SizeCallback(self._data_came)
        self._pa.pa_stream_set_moved_callback(self._stream, self._on_moved, None)
        flags = pa.STREAM_INTERPOLATE_TIMING | pa.STREAM_AUTO_TIMING_UPDATE | pa.STREAM_ADJUST_LATENCY
        if self._connect(None if target is None else target.encode(), flags) < 0:
            error = connection.error()
            self.close()
            raise DeviceError(f"{device.info.name} cannot be used: {error}.")

    @property
    def state(self) -> int:
        """The library's."""
        return int(self._pa.pa_stream_get_state(self._stream))

    @property
    def device_name(self) -> str:
        """The sink or source that it is on."""
        return (self._pa.pa_stream_get_device_name(self._stream) or b"").decode(errors="replace")

    def close(self) -> None:
        """End it, without waiting for the server."""
        self._pa.pa_stream_disconnect(self._stream)
        self._pa.pa_stream_unref(self._stream)

    @abstractmethod
    def _connect(self, target: bytes | None, flags: int) -> int:
        """Ask the server for the stream; negative if the library refuses."""

    @abstractmethod
    def _data(self, _stream: Any, size: int, _data: Any) -> None:
        """Take or give so many bytes."""

    def _data_came(self, stream: Any, size: int, data: Any) -> None:
        if self.fault is not None:
            return
        try:
            self._data(stream, size, data)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the thread raises it
            self.fault = fault

    def _was_moved(self, _stream: Any, _data: Any) -> None:
        self.moved = True

    def _latency_s(self) -> float | None:
        latency_us, negative = ctypes.c_uint64(), ctypes.c_int()
        failed = self._pa.pa_stream_get_latency(
            self._stream, ctypes.byref(latency_us), ctypes.byref(negative)
        )
        # Unknown until the server has told its first timing.
        return None if failed else (0.0 if negative.value else latency_us.value / 1e6)

    def _bytes(self, seconds: float) -> int:
        return int(seconds * SAMPLE_RATE_HZ) * self._channels * _BYTES


class _RecordStream(_Stream):
    @override
    def _connect(self, target: bytes | None, flags: int) -> int:
        self._pa.pa_stream_set_read_callback(self._stream, self._on_data, None)
        attributes = pa.BufferAttributes(
            maxlength=pa.DEFAULT_SIZE, fragsize=self._bytes(CAPTURED_AT_ONCE_S), tlength=0, prebuf=0, minreq=0
        )
        return int(self._pa.pa_stream_connect_record(self._stream, target, ctypes.byref(attributes), flags))

    @override
    def _data(self, _stream: Any, size: int, _data: Any) -> None:
        data, length = ctypes.c_void_p(), ctypes.c_size_t(size)
        while True:
            latency_s = self._latency_s()
            if self._pa.pa_stream_peek(self._stream, ctypes.byref(data), ctypes.byref(length)) < 0:
                return  # the stream has ended: its state says so
            if not length.value:
                return
            frames = length.value // (self._channels * _BYTES)
            if data.value:
                raw = (ctypes.c_float * (frames * self._channels)).from_address(data.value)
                block: Samples = np.ctypeslib.as_array(raw).reshape(frames, self._channels)
                self._callback(block, latency_s)
            else:
                self.lost_frames += frames  # a hole
            self._pa.pa_stream_drop(self._stream)


class _PlaybackStream(_Stream):
    @override
    def _connect(self, target: bytes | None, flags: int) -> int:
        self._pa.pa_stream_set_write_callback(self._stream, self._on_data, None)
        attributes = pa.BufferAttributes(
            maxlength=pa.DEFAULT_SIZE,
            tlength=self._bytes(PLAYED_AHEAD_S),
            prebuf=pa.DEFAULT_SIZE,
            minreq=self._bytes(ASKED_AT_ONCE_S),
            fragsize=pa.DEFAULT_SIZE,
        )
        return int(
            self._pa.pa_stream_connect_playback(
                self._stream, target, ctypes.byref(attributes), flags, None, None
            )
        )

    @override
    def _data(self, _stream: Any, size: int, _data: Any) -> None:
        frames = size // (self._channels * _BYTES)
        block: Samples = np.empty((frames, self._channels), dtype=np.float32)
        self._callback(block, self._latency_s())
        self._pa.pa_stream_write(self._stream, block.ctypes.data, block.nbytes, None, 0, 0)


def _float_format() -> int:
    return pa.SAMPLE_FLOAT32LE if sys.byteorder == "little" else pa.SAMPLE_FLOAT32LE + 1
