"""One decoder for each peer."""

import ctypes
import weakref
from ctypes import c_int, c_int32
from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.audio.opus.library import check, decode_float, libopus
from blink_cli.core.audio_format import SAMPLE_RATE_HZ

_RESET_STATE: Final = 4028
_SET_COMPLEXITY: Final = 4010
_LONGEST_MS: Final = 120

_CLASSIC: Final = 0
_DEEP: Final = 5
"""Decoder complexity from which libopus guesses by its networks. 6 and 7 (OSCE) change what was received, and gave nothing at 32 kb/s."""


class OpusDecoder:
    """Decodes one stream to float32: mono at 48 kHz in calls. Owned by one thread, which keeps the interpreter lock while it works.

    Numbers of samples are at the decoder's rate. Arrays have shape (n,), or (n, 2) of two channels.

    The decoder remembers the sound so far: frames must be given in order, each exactly once, in one of three ways.

    Source: the libopus 1.6 API, opus_decoder.
    """

    def __init__(self, *, rate_hz: int = SAMPLE_RATE_HZ, channels: int = 1) -> None:
        """Prepare; whatever was encoded comes out in this form.

        Args:
            rate_hz: 8000, 12000, 16000, 24000 or 48000.
            channels: 1 or 2.

        Raises:
            DeviceError: libopus is missing.

        """
        self._library = libopus()
        error = c_int()
        handle = self._library.opus_decoder_create(rate_hz, channels, ctypes.byref(error))
        check(error.value, "creating a decoder")
        self._handle = handle
        # Not at exit: a daemon thread may still decode then, and the process gives its memory back anyway.
        weakref.finalize(self, self._library.opus_decoder_destroy, handle).atexit = False
        self._longest_samples = rate_hz * _LONGEST_MS // 1000
        self._output = np.empty(
            self._longest_samples if channels == 1 else (self._longest_samples, channels), np.float32
        )
        self._address = self._output.ctypes.data
        self._decode = decode_float()
        self._complexity = _CLASSIC

    def decode(self, payload: bytes) -> npt.NDArray[np.float32]:
        """The samples of the next packet, shape (n,), n from 2.5 to 120 ms; a new array.

        Raises:
            DeviceError: libopus calls it invalid (bytes from a stranger: count it and conceal).

        """
        count = self._decode(self._handle, payload, len(payload), self._address, self._longest_samples, 0)
        return self._output[: check(count, "decoding")].copy()

    def decode_fec(self, next_payload: bytes, samples: int) -> npt.NDArray[np.float32]:
        """The lost frame before the packet `next_payload`, from the copy inside; `samples` long, the lost frame's length.

        Raises:
            DeviceError: libopus calls the packet invalid.

        """
        count = self._decode(self._handle, next_payload, len(next_payload), self._address, samples, 1)
        return self._output[: check(count, "decoding FEC")].copy()

    def conceal(self, samples: int) -> npt.NDArray[np.float32]:
        """A guess at the next `samples` (a multiple of 2.5 ms) that were lost for good; fades when repeated."""
        return self._guessed(samples, _CLASSIC)

    def conceal_deeply(self, samples: int) -> npt.NDArray[np.float32]:
        """The same by the networks of a copy that has them (`Abilities.deep_plc`): better, and thirty times dearer. The two may follow each other."""
        return self._guessed(samples, _DEEP)

    def _guessed(self, samples: int, complexity: int) -> npt.NDArray[np.float32]:
        if complexity != self._complexity:
            self._complexity = complexity
            code = self._library.opus_decoder_ctl(self._handle, _SET_COMPLEXITY, c_int32(complexity))
            check(code, "choosing the concealment")
        count = self._decode(self._handle, None, 0, self._address, samples, 0)
        return self._output[: check(count, "concealing")].copy()

    def dred_samples(self, payload: bytes) -> int:
        """How much sound right before the packet it tells of (DRED): nothing that is read here."""
        del payload
        return 0

    def told_by_dred(
        self, payload: bytes, before_samples: int, samples: int
    ) -> npt.NDArray[np.float32] | None:
        """What a later packet tells of lost sound: nothing that is read here."""
        del payload, before_samples, samples
        return None

    def decode_dred(self, features: int, before_samples: int, samples: int) -> npt.NDArray[np.float32]:
        """Sound that was lost, from what a later packet tells of it.

        Args:
            features: Of `DredReader`, of that packet.
            before_samples: How long before that packet the sound began.
            samples: How much of it, a multiple of 10 ms.

        Raises:
            DeviceError: libopus refuses.

        """
        count = self._library.opus_decoder_dred_decode_float(
            self._handle, features, before_samples, self._address, samples
        )
        return self._output[: check(count, "decoding DRED")].copy()

    def reset(self) -> None:
        """Forget the sound so far, for another sender."""
        check(self._library.opus_decoder_ctl(self._handle, _RESET_STATE), "resetting the decoder")
