"""What the codec tool is asked for. Light: `blink codec --help` loads it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import UsageError
from blink_cli.core.media.codec_settings import CodecSettings

OPUS_RATES_HZ: Final = (8_000, 12_000, 16_000, 24_000, 48_000)
"""At which libopus takes and gives samples (RFC 6716, section 2)."""

SampleFormat = Literal["s16", "s24", "s32", "f32"]
"""Integers of 16, 24 or 32 bits, or floating point of 32; little-endian where a file has no header."""

SAMPLE_FORMATS: Final[tuple[SampleFormat, ...]] = get_args(SampleFormat)

Score = Literal["pesq", "visqol"]

LoudnessMethod = Literal["rms", "bs1770"]

METHODS: Final[tuple[LoudnessMethod, ...]] = get_args(LoudnessMethod)


LOWEST_RATE_HZ: Final = 1_000
HIGHEST_RATE_HZ: Final = 768_000
"""Of sound that is read: beyond them it is none, and resampling it would make nonsense, or take for ever."""


@dataclass(frozen=True, slots=True)
class RawForm:
    """How samples without a header are laid out: interleaved, little-endian."""

    rate_hz: int = SAMPLE_RATE_HZ
    channels: int = 1
    sample_format: SampleFormat = "f32"

    def __post_init__(self) -> None:
        if not LOWEST_RATE_HZ <= self.rate_hz <= HIGHEST_RATE_HZ:
            raise UsageError(
                f"{self.rate_hz} Hz is no sample rate.",
                hint=f"Choose {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ}, such as 48000.",
            )
        if not 1 <= self.channels <= 64:
            raise UsageError(f"{self.channels} channels are not possible.", hint="Choose 1 to 64.")
        one_of("A sample format", self.sample_format, SAMPLE_FORMATS)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoderOptions:
    """How sound is encoded."""

    settings: CodecSettings
    rate_hz: int = SAMPLE_RATE_HZ
    """Of the samples that the encoder gets, one of `OPUS_RATES_HZ`."""

    channels: int | None = None
    """1 or 2; None: as many as the sound has, 2 at most."""

    def __post_init__(self) -> None:
        opus_rate(self.rate_hz, "encode")
        if self.channels is not None:
            opus_channels(self.channels)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOptions:
    """What happens to the packets on their way."""

    loss: float = 0.0
    """Share that is lost, 0 to 1."""

    burst_packets: float = 1.0
    """Mean number of packets lost in a row."""

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    """Standard deviation of what each packet is late beyond that."""

    seed: int = 1
    through_rtp: bool = False
    """Whether the packets pass RTP sender, receiver and playout buffer, as in a call."""

    def __post_init__(self) -> None:
        if not 0 <= self.loss <= 1:
            raise UsageError(f"A loss of {self.loss:.0%} is not possible.", hint="Choose 0% to 100%.")
        if not 1 <= self.burst_packets <= 1_000:
            raise UsageError(
                f"Bursts of {self.burst_packets:g} packets are not possible.", hint="Choose 1 to 1000."
            )
        if not (0 <= self.delay_ms <= 10_000 and 0 <= self.jitter_ms <= 1_000):
            raise UsageError(
                "Such a delay or jitter is not possible.",
                hint="A delay is 0 to 10000 ms, jitter 0 to 1000 ms.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardForm:
    """How decoded sound comes out."""

    rate_hz: int = SAMPLE_RATE_HZ
    channels: int | None = None
    """1 or 2; None: as many as were encoded."""

    sample_format: SampleFormat | None = None
    """None: what suits the file: 16 bits in WAV and FLAC, floating point without a header."""

    def __post_init__(self) -> None:
        opus_rate(self.rate_hz, "decode")
        if self.channels is not None:
            opus_channels(self.channels)
        if self.sample_format is not None:
            one_of("A sample format", self.sample_format, SAMPLE_FORMATS)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is read."""

    path: Path
    raw: RawForm | None = None
    """None: the file says itself what is in it."""


def share(text: str) -> float:
    """Read a share: `10%`, `10` (per cent, from 1 on) or `0.1`.

    Raises:
        UsageError: It is none.

    """
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = -1.0
    if text.endswith("%") or number >= 1:
        number /= 100
    if not 0 <= number <= 1:
        raise UsageError(f"{text!r} is no share.", hint="For example 10% or 0.1.")
    return number


def opus_rate(rate_hz: int, doing: str) -> int:
    """Return the rate.

    Raises:
        UsageError: libopus has no such rate.

    """
    if rate_hz not in OPUS_RATES_HZ:
        rates = ", ".join(map(str, OPUS_RATES_HZ))
        raise UsageError(
            f"Opus does not {doing} at {rate_hz} Hz.",
            hint=f"Choose {rates}; files of any rate are converted.",
        )
    return rate_hz


def opus_channels(channels: int) -> int:
    """Return the number.

    Raises:
        UsageError: It is neither one nor two.

    """
    if channels not in (1, 2):
        raise UsageError(f"{channels} channels are not possible.", hint="Choose 1 or 2.")
    return channels


def one_of(what: str, value: str, choices: tuple[str, ...]) -> None:
    """Check a word.

    Raises:
        UsageError: It is not one of `choices`.

    """
    if value not in choices:
        raise UsageError(f"{what} of {value!r} is not possible.", hint=f"Choose {', '.join(choices)}.")
