"""One open device of ALSA. Belongs to one thread."""

import ctypes
import errno
import sys
from typing import Any, Final, Literal

import numpy as np

from blink_cli.audio.devices import libasound as alsa
from blink_cli.audio.devices.libasound import libasound
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import DeviceError

ANY_CHANNELS: Final = 32
"""A device that offers so many, or more, has no channels of its own: it is a plugin that takes any number."""

_BYTES: Final = 4


class PcmError(Exception):
    """The device refuses; its text is ALSA's. An overrun or underrun is none."""


class AlsaPcm:
    """From its making to `close`."""

    def __init__(self, direction: Literal["input", "output"], name: str) -> None:
        """Open it. Blocks for as long as its plugin does.

        Raises:
            DeviceError: It cannot be opened.

        """
        try:
            self._alsa: Any = libasound()
        except OSError as error:
            raise DeviceError(
                f"ALSA cannot be used ({error}).", hint="Install it with `apt install libasound2`."
            ) from error
        self._input = direction == "input"
        handle = ctypes.c_void_p()
        stream = alsa.CAPTURE if self._input else alsa.PLAYBACK
        refused = self._alsa.snd_pcm_open(ctypes.byref(handle), name.encode(), stream, alsa.NONBLOCK)
        if refused < 0:
            raise DeviceError(
                f"The {direction} device {name} cannot be used: {self._text(refused)}.",
                hint="Another program may hold it; `blink list-devices` lists all.",
            )
        self._handle = handle
        self._name = name
        self.channels = 1
        self.buffer_frames = 0
        """What the device holds."""

        self.period_frames = 0

    def most_channels(self) -> int:
        """How many channels it has; 2 where it takes any number."""
        parameters, most = ctypes.c_void_p(), ctypes.c_uint(2)
        self._alsa.snd_pcm_hw_params_malloc(ctypes.byref(parameters))
        try:
            if self._alsa.snd_pcm_hw_params_any(self._handle, parameters) >= 0:
                self._alsa.snd_pcm_hw_params_get_channels_max(parameters, ctypes.byref(most))
        finally:
            self._alsa.snd_pcm_hw_params_free(parameters)
        return most.value if 0 < most.value < ANY_CHANNELS else 2

    def configure(self, channels: int, latency_s: float) -> None:
        """Ask for 48 kHz, float, so many channels, and a buffer of about so long.

        Raises:
            PcmError: It cannot do that.

        """
        sample_format = alsa.FORMAT_FLOAT_LE if sys.byteorder == "little" else alsa.FORMAT_FLOAT_BE
        self._check(
            self._alsa.snd_pcm_set_params(
                self._handle,
                sample_format,
                alsa.ACCESS_INTERLEAVED,
                channels,
                SAMPLE_RATE_HZ,
                1,
                int(latency_s * 1e6),
            )
        )
        buffer, period = ctypes.c_ulong(), ctypes.c_ulong()
        self._check(self._alsa.snd_pcm_get_params(self._handle, ctypes.byref(buffer), ctypes.byref(period)))
        self.channels, self.buffer_frames, self.period_frames = channels, buffer.value, period.value

    def start(self) -> None:
        """Let it run; an output may do so already, since its buffer is full."""
        if self._alsa.snd_pcm_state(self._handle) == alsa.STATE_PREPARED:
            self._check(self._alsa.snd_pcm_start(self._handle))

    def restart(self) -> None:
        """Let it run again after an overrun or underrun.

        Raises:
            PcmError: It does not.

        """
        self._check(self._alsa.snd_pcm_prepare(self._handle))
        if self._input:
            self.start()

    def wait(self, timeout_s: float) -> bool:
        """Wait until there is something to read or room to write, or it ran dry; False if nothing came in time.

        A device that ran dry waits for `restart`: whichever call notices first, `available_frames` says so from then on.

        Raises:
            PcmError: The device is gone.

        """
        waited = self._alsa.snd_pcm_wait(self._handle, int(timeout_s * 1000))
        if waited in (-errno.EPIPE, -errno.ESTRPIPE):
            return True
        if waited == -errno.EINTR:
            return False
        self._check(waited)
        return bool(waited > 0)

    def available_frames(self) -> int | None:
        """Return how many frames can be read or written now; None after an overrun or underrun.

        Raises:
            PcmError: The device is gone.

        """
        available = int(self._alsa.snd_pcm_avail_update(self._handle))
        if available in (-errno.EPIPE, -errno.ESTRPIPE):
            return None
        self._check(available)
        return available

    def delay_s(self) -> float | None:
        """Between the microphone or speaker and us; None while unknown."""
        frames = ctypes.c_long()
        if self._alsa.snd_pcm_delay(self._handle, ctypes.byref(frames)) < 0:
            return None
        return frames.value / SAMPLE_RATE_HZ

    def read(self, frames: int) -> Samples:
        """Return what is there, shape `(n, channels)`."""
        block: Samples = np.empty((frames, self.channels), dtype=np.float32)
        got = int(self._alsa.snd_pcm_readi(self._handle, block.ctypes.data, frames))
        return block[: max(0, got)]

    def write(self, block: Samples) -> None:
        """Hand over what there is room for."""
        self._alsa.snd_pcm_writei(self._handle, block.ctypes.data, len(block))

    def close(self) -> None:
        """Let go of it. A plugin whose server has died may not return."""
        self._alsa.snd_pcm_close(self._handle)

    def _check(self, result: int) -> None:
        if result < 0:
            raise PcmError(self._text(result))

    def _text(self, error: int) -> str:
        return (self._alsa.snd_strerror(error) or b"").decode(errors="replace")
