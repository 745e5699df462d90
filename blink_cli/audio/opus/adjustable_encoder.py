"""The encoder of a session, whose settings change while it runs.

bit rate, frame length, FEC, DTX, …    told to the same libopus encoder, which goes on where it was
application, channels                  need another one: it is given the last sound first, so that it goes on there too

While a line needs many copies, a second encoder makes each frame once more at a lower bit rate; otherwise there is none.
"""

from collections import deque
from typing import Final

import msgspec
import numpy as np

from blink_cli.audio.opus.encoder import OpusEncoder
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.opus_packet import OpusKind, packet_kind, without_padding

_RUN_IN_SAMPLES: Final = 2_880
"""Sound that a new encoder hears before it speaks: its filters, its look-ahead and its choice of a mode are then those of a running one."""

_RATE_OVER_SAMPLES: Final = SAMPLE_RATE_HZ
"""The bit rate is that of the last second of encoded sound."""


class EncoderFigures(msgspec.Struct, frozen=True):
    """What really comes out."""

    settings: CodecSettings
    """Those in use."""

    kind: OpusKind | None
    """What the last packet was; None before the first."""

    bitrate_bps: float | None
    """Of the last second that was encoded, packets of DTX included; None before that is over."""

    fec_loss_percent: int | None
    """For which loss packets carry in-band FEC; None while it is off, or there is none with these settings."""


class AdjustableEncoder:
    """Owned by the capture thread; `figures` may be read by any."""

    def __init__(self, settings: CodecSettings) -> None:
        """Raises `DeviceError` when libopus is missing or refuses the settings."""
        self._settings = settings
        self._encoder = OpusEncoder(settings, channels=settings.channels)
        self._encoder.set_fec(0, enabled=False)
        self._short: OpusEncoder | None = None
        self._short_bps: int | None = None
        self.short_copy = b""
        """The frame that was encoded last at a lower bit rate; empty while that is not wanted, or saves nothing."""

        self._fec_loss_percent: int | None = None
        self._dred = False
        self._recent: deque[Samples] = deque()
        self._recent_samples = 0
        self._kind: OpusKind | None = None
        self._first_byte = -1
        self._counted_samples = 0
        self._counted_bytes = 0
        self._bitrate_bps: float | None = None

    @property
    def frame_samples(self) -> int:
        """Samples that the next `encode` wants, of each channel."""
        return self._encoder.frame_samples

    @property
    def channels(self) -> int:
        """1, or 2 of stereo: the next `encode` wants shape (`frame_samples`,), or (`frame_samples`, 2)."""
        return self._settings.channels

    def encode(self, samples: Samples) -> bytes:
        """See `OpusEncoder.encode`."""
        payload = self._encoder.encode(samples)
        plain = without_padding(payload)
        if self._short is not None:
            short = self._short.encode(samples)
            self.short_copy = short if len(short) < len(plain) else b""
        self._keep(samples)
        self._count(plain, len(samples))
        return payload

    def make_short_copies(self, bitrate_bps: int | None) -> None:
        """Make each frame once more at this lower bit rate from the next one on; None: no more. Where the voice has a low one itself, none is made.

        Raises:
            DeviceError: libopus refuses.

        """
        self.short_copy = b""
        self._short_bps = bitrate_bps
        if bitrate_bps is None or not self._settings.has_short_copies:
            self._short = None
        elif self._short is None:
            self._short = OpusEncoder(_short(self._settings, bitrate_bps), channels=self._settings.channels)
            self._run_in(self._short, self._settings)
        else:
            self._short.adjust(_short(self._settings, bitrate_bps))

    def set_fec_loss(self, loss_percent: int | None) -> None:
        """Have packets prepare for this loss, 0 to 100 %, from the next one on; None: no FEC."""
        self._fec_loss_percent = loss_percent
        self._encoder.set_fec(loss_percent or 0, enabled=loss_percent is not None)

    def set_dred(self, *, enabled: bool) -> None:
        """See `OpusEncoder.set_dred`."""
        self._dred = enabled
        self._encoder.set_dred(enabled=enabled)

    def adjust(self, settings: CodecSettings) -> None:
        """Encode so from the next frame on. What is heard goes on, without a gap and without a click.

        Raises:
            DeviceError: libopus refuses the settings; the old ones stay.

        """
        before = self._settings
        if (settings.application, settings.channels) == (before.application, before.channels):
            self._encoder.adjust(settings)
        else:
            encoder = OpusEncoder(settings, channels=settings.channels)
            encoder.set_fec(self._fec_loss_percent or 0, enabled=self._fec_loss_percent is not None)
            encoder.set_dred(enabled=self._dred)
            self._run_in(encoder, settings)
            self._encoder = encoder
        self._settings = settings
        if self._short is not None:
            self._short = None
            self.make_short_copies(self._short_bps)
        self._counted_samples = self._counted_bytes = 0
        self._bitrate_bps = None

    def figures(self) -> EncoderFigures:
        """What comes out now. Any thread."""
        settings = self._settings
        return EncoderFigures(
            settings=settings,
            kind=self._kind,
            bitrate_bps=self._bitrate_bps,
            fec_loss_percent=self._fec_loss_percent if settings.fec_possible else None,
        )

    def _run_in(self, encoder: OpusEncoder, settings: CodecSettings) -> None:
        """Give a new encoder what the old one had last; what it makes of it is for nobody."""
        if not self._recent:
            return
        sound = _with_channels(np.concatenate(list(self._recent)), settings.channels)
        frame = encoder.frame_samples
        if self._kind is not None:
            # In the old one's mode: so it leads over from that to the one that it finds best, as an encoder does that goes on.
            encoder.force_mode(self._kind.mode)
        for start in range(len(sound) % frame, len(sound), frame):
            encoder.encode(np.ascontiguousarray(sound[start : start + frame]))
        encoder.force_mode(None)
        self._recent = deque((sound,))
        self._recent_samples = len(sound)

    def _keep(self, samples: Samples) -> None:
        self._recent.append(samples.copy())
        self._recent_samples += len(samples)
        while self._recent_samples - len(self._recent[0]) >= _RUN_IN_SAMPLES:
            self._recent_samples -= len(self._recent.popleft())

    def _count(self, payload: bytes, samples: int) -> None:
        if payload and payload[0] != self._first_byte:
            self._first_byte = payload[0]
            self._kind = packet_kind(payload[0])
        self._counted_samples += samples
        self._counted_bytes += len(payload)
        if self._counted_samples >= _RATE_OVER_SAMPLES:
            self._bitrate_bps = 8 * self._counted_bytes * SAMPLE_RATE_HZ / self._counted_samples
            self._counted_samples = self._counted_bytes = 0


def _short(settings: CodecSettings, bitrate_bps: int) -> CodecSettings:
    # It makes each frame that the first one makes: which are sent is decided there.
    return msgspec.structs.replace(settings, bitrate_bps=bitrate_bps, dtx=False)


def _with_channels(sound: Samples, channels: int) -> Samples:
    """The same sound in one channel or two."""
    if sound.ndim == 1:
        return sound if channels == 1 else np.stack((sound, sound), axis=1)
    if channels == 2:
        return sound
    mono: Samples = sound.mean(axis=1, dtype=np.float32)
    return mono
