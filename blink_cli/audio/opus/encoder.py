"""The one encoder of a session."""

import ctypes
import weakref
from ctypes import c_int, c_int32
from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.audio.opus.content_bandwidth import ContentBandwidth, ContentBandwidthMeter
from blink_cli.audio.opus.library import check, libopus
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.opus_packet import OpusMode

_APPLICATIONS: Final = {"voip": 2048, "audio": 2049, "lowdelay": 2051}
_BANDWIDTHS: Final = {"narrow": 1101, "medium": 1102, "wide": 1103, "superwide": 1104, "full": 1105}

_SET_BITRATE: Final = 4002
_SET_MAX_BANDWIDTH: Final = 4004
_SET_BANDWIDTH: Final = 4008
_SET_VBR: Final = 4006
_SET_COMPLEXITY: Final = 4010
_SET_INBAND_FEC: Final = 4012
_SET_PACKET_LOSS_PERCENT: Final = 4014
_SET_DTX: Final = 4016
_SET_SIGNAL: Final = 4024
_SIGNAL_VOICE: Final = 3001
_SET_DRED_DURATION: Final = 4050
"""In frames of 10 ms."""

_DRED_FRAMES: Final = 20
_DRED_BPS: Final = 16_000
"""What is asked for beyond the voice's own bit rate; some 13 kb/s of it are used. With less the voice pays."""

_DRED_LOSS_PERCENT: Final = 20
"""libopus gives DRED a share by the loss that it prepares for: with less than this, next to nothing."""

_SET_FORCE_MODE: Final = 11002
"""Of opus_private.h, and in every libopus since 1.1."""

_MODES: Final[dict[OpusMode, int]] = {"speech": 1000, "hybrid": 1001, "sound": 1002}
_AUTO: Final = -1000
_GET_LOOKAHEAD: Final = 4027

_MAXIMUM_PAYLOAD_BYTES: Final = 1276
"""The longest possible Opus frame of 20 ms and its first byte (RFC 6716, section 3.2.1); fits one datagram."""

LONGEST_PAYLOAD_BYTES: Final = 3 * 1275 + 7
"""The longest packet of 60 ms, which is three frames with their lengths (RFC 6716, section 3.2.5). Files take it; datagrams do not."""


class OpusEncoder:
    """Encodes one stream of float32: mono at 48 kHz in calls. Owned by one thread; the interpreter lock is free while it works.

    Source: the libopus 1.6 API, opus_encoder and opus_ctlvalues.
    """

    def __init__(
        self,
        settings: CodecSettings,
        *,
        rate_hz: int = SAMPLE_RATE_HZ,
        channels: int = 1,
        most_bytes: int = _MAXIMUM_PAYLOAD_BYTES,
    ) -> None:
        """Prepare.

        Args:
            settings: How to encode.
            rate_hz: Of the samples: 8000, 12000, 16000, 24000 or 48000.
            channels: 1 or 2, interleaved.
            most_bytes: The longest packet that may come out.

        Raises:
            DeviceError: libopus is missing or refuses the settings.

        """
        self._library = libopus()
        self._rate_hz = rate_hz
        self._channels = channels
        error = c_int()
        handle = self._library.opus_encoder_create(
            rate_hz, channels, _APPLICATIONS[settings.application], ctypes.byref(error)
        )
        check(error.value, "creating an encoder")
        self._handle = handle
        # Not at exit: a daemon thread may still encode then, and the process gives its memory back anyway.
        weakref.finalize(self, self._library.opus_encoder_destroy, handle).atexit = False
        self._output = ctypes.create_string_buffer(most_bytes)
        self._made = memoryview(self._output)
        self._frame: npt.NDArray[np.float32] | None = None
        self._address = 0
        """Of the samples of that array: a session encodes from one and the same."""

        self._set(_SET_SIGNAL, _SIGNAL_VOICE)
        self._dred = False
        self._fec = (0, False)
        self._content: ContentBandwidthMeter | None = None
        self.adjust(settings)

    def adjust(self, settings: CodecSettings) -> None:
        """Encode so from the next frame on; what a decoder gets goes on without a break. `application` and `stereo` stay as they were.

        Raises:
            DeviceError: libopus refuses the settings.

        """
        self._frame_samples = settings.frame_samples * self._rate_hz // SAMPLE_RATE_HZ
        self._bitrate_bps = settings.bitrate_bps
        self._cbr = settings.cbr
        if self._cbr:
            self.set_dred(enabled=False)
        self._set_bitrate()
        self._set(_SET_COMPLEXITY, settings.complexity)
        self._set(_SET_DTX, int(settings.dtx))
        self._set(_SET_VBR, int(not settings.cbr))
        # It looks at one channel at 48 kHz; for others libopus chooses by the bit rate alone.
        looks = settings.bandwidth == "auto" and self._channels == 1 and self._rate_hz == SAMPLE_RATE_HZ
        if not looks:
            self._content = None
        elif self._content is None:
            self._content = ContentBandwidthMeter()
        self._content_bandwidth: ContentBandwidth = "full"
        self._set(_SET_MAX_BANDWIDTH, _BANDWIDTHS["full"])
        self._set(_SET_BANDWIDTH, _BANDWIDTHS.get(settings.bandwidth, _AUTO))

    @property
    def frame_samples(self) -> int:
        """Samples that the next `encode` wants."""
        return self._frame_samples

    @property
    def lookahead_samples(self) -> int:
        """How much later than the samples given in a decoder gives them out, at the rate of the samples: 6.5 ms, 2.5 ms of `lowdelay`."""
        found = c_int32()
        code = self._library.opus_encoder_ctl(self._handle, _GET_LOOKAHEAD, ctypes.byref(found))
        check(code, "asking for the look-ahead")
        return found.value

    def set_fec(self, loss_percent: int, *, enabled: bool) -> None:
        """Turn in-band FEC on or off from the next frame, with the loss, 0 to 100 %, it should prepare for."""
        self._fec = (loss_percent, enabled)
        self._set_repair()

    def set_dred(self, *, enabled: bool) -> None:
        """Have packets tell at some 13 kb/s what was said in the 200 ms before them, from the next frame on; only of a copy that can (`Abilities.dred`).

        FEC is on meanwhile: of a single packet lost it is the better copy.
        """
        enabled = enabled and not self._cbr  # without its DRED a packet would be shorter than others
        if enabled != self._dred:
            self._dred = enabled
            self._set(_SET_DRED_DURATION, _DRED_FRAMES if enabled else 0)
            self._set_bitrate()
            self._set_repair()

    def _set_bitrate(self) -> None:
        self._set(_SET_BITRATE, self._bitrate_bps + (_DRED_BPS if self._dred else 0))

    def _set_repair(self) -> None:
        loss_percent, fec = self._fec
        self._set(_SET_INBAND_FEC, int(fec or self._dred))
        self._set(
            _SET_PACKET_LOSS_PERCENT, max(loss_percent, _DRED_LOSS_PERCENT) if self._dred else loss_percent
        )

    def force_mode(self, mode: OpusMode | None) -> None:
        """Code so from the next frame on, where that is possible; None: as the encoder finds best."""
        self._set(_SET_FORCE_MODE, _AUTO if mode is None else _MODES[mode])

    def encode(self, samples: npt.NDArray[np.float32]) -> bytes:
        """One Opus packet of one frame.

        Args:
            samples: float32, contiguous, shape (`frame_samples`,), or (`frame_samples`, 2) of two channels, full scale at +/-1. Not modified.

        """
        # libopus would read past the end of a shorter array: memory safety is checked here and nowhere else.
        assert samples.dtype == np.float32
        assert samples.shape == (
            (self._frame_samples,) if self._channels == 1 else (self._frame_samples, self._channels)
        )
        assert samples.flags.c_contiguous
        if self._content is not None:
            bandwidth = self._content.bandwidth(samples)
            if bandwidth != self._content_bandwidth:
                self._content_bandwidth = bandwidth
                self._set(_SET_MAX_BANDWIDTH, _BANDWIDTHS[bandwidth])
        if samples is not self._frame:
            self._frame, self._address = samples, samples.ctypes.data
        size = self._library.opus_encode_float(
            self._handle, self._address, self._frame_samples, self._output, len(self._made)
        )
        return bytes(self._made[: check(size, "encoding")])

    def _set(self, request: int, value: int) -> None:
        check(self._library.opus_encoder_ctl(self._handle, request, c_int32(value)), "setting up the encoder")
