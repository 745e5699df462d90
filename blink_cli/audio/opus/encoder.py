"""The one encoder of a session."""

import ctypes
import weakref
from ctypes import c_int, c_int32
from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.audio.opus.content_bandwidth import ContentBandwidth, ContentBandwidthMeter
from blink_cli.audio.opus.library import check, libopus
from blink_cli.core.codec_settings import CodecSettings
from blink_cli.core.voice import SAMPLE_RATE_HZ

_APPLICATIONS: Final = {"voip": 2048, "audio": 2049, "lowdelay": 2051}
_BANDWIDTHS: Final = {"narrow": 1101, "medium": 1102, "wide": 1103, "superwide": 1104, "full": 1105}

_SET_BITRATE: Final = 4002
_SET_MAX_BANDWIDTH: Final = 4004
_SET_BANDWIDTH: Final = 4008
_SET_COMPLEXITY: Final = 4010
_SET_INBAND_FEC: Final = 4012
_SET_PACKET_LOSS_PERCENT: Final = 4014
_SET_DTX: Final = 4016
_SET_SIGNAL: Final = 4024
_SIGNAL_VOICE: Final = 3001

_MAXIMUM_PAYLOAD_BYTES: Final = 1276
"""The longest possible Opus frame of 20 ms and its first byte (RFC 6716, section 3.2.1); fits one datagram."""


class OpusEncoder:
    """Encodes one stream of mono float32 at 48 kHz. Owned by one thread; the interpreter lock is free while it works.

    Source: the libopus 1.6 API, opus_encoder and opus_ctlvalues.
    """

    def __init__(self, settings: CodecSettings) -> None:
        """Raises `DeviceError` when libopus is missing or refuses the settings."""
        self._library = libopus()
        self._frame_samples = settings.frame_samples
        error = c_int()
        handle = self._library.opus_encoder_create(
            SAMPLE_RATE_HZ, 1, _APPLICATIONS[settings.application], ctypes.byref(error)
        )
        check(error.value, "creating an encoder")
        self._handle = handle
        # Not at exit: a daemon thread may still encode then, and the process gives its memory back anyway.
        weakref.finalize(self, self._library.opus_encoder_destroy, handle).atexit = False
        self._output = ctypes.create_string_buffer(_MAXIMUM_PAYLOAD_BYTES)
        self._set(_SET_BITRATE, settings.bitrate_bps)
        self._set(_SET_COMPLEXITY, settings.complexity)
        self._set(_SET_SIGNAL, _SIGNAL_VOICE)
        self._set(_SET_DTX, int(settings.dtx))
        self._content = ContentBandwidthMeter() if settings.bandwidth == "auto" else None
        self._content_bandwidth: ContentBandwidth = "full"
        if settings.bandwidth != "auto":
            self._set(_SET_BANDWIDTH, _BANDWIDTHS[settings.bandwidth])

    @property
    def frame_samples(self) -> int:
        """Samples that the next `encode` wants."""
        return self._frame_samples

    def set_fec(self, loss_percent: int, *, enabled: bool) -> None:
        """Turn in-band FEC on or off from the next frame, with the loss, 0 to 100 %, it should prepare for."""
        self._set(_SET_INBAND_FEC, int(enabled))
        self._set(_SET_PACKET_LOSS_PERCENT, loss_percent)

    def encode(self, samples: npt.NDArray[np.float32]) -> bytes:
        """One Opus packet of one frame.

        Args:
            samples: float32, contiguous, shape (`CodecSettings.frame_samples`,), full scale at +/-1. Not modified.

        """
        # libopus would read past the end of a shorter array: memory safety is checked here and nowhere else.
        assert samples.dtype == np.float32
        assert samples.shape == (self._frame_samples,)
        assert samples.flags.c_contiguous
        if self._content is not None:
            bandwidth = self._content.bandwidth(samples)
            if bandwidth != self._content_bandwidth:
                self._content_bandwidth = bandwidth
                self._set(_SET_MAX_BANDWIDTH, _BANDWIDTHS[bandwidth])
        size = self._library.opus_encode_float(
            self._handle, samples.ctypes.data, self._frame_samples, self._output, _MAXIMUM_PAYLOAD_BYTES
        )
        return self._output.raw[: check(size, "encoding")]

    def _set(self, request: int, value: int) -> None:
        check(self._library.opus_encoder_ctl(self._handle, request, c_int32(value)), "setting up the encoder")
