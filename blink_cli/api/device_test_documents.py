"""What `test-input` and `test-output` print with `--json`."""

import msgspec

from blink_cli.api.documents import Document


class FoundInTest(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a test found."""

    code: str
    """For scripts: `only_zeros`, `nothing_heard`, `gaps`, `wrong_rate`, `clipped`, `zeros`, `underruns`, `stood_still` are faults; `noisy`, `no_voice`, `soft`, `soft_channels`, `offset`, `not_played_back` are advice."""

    fault: bool
    """It makes the test fail, with exit code 6."""

    sentence: str
    remedy: str
    """What to do about it."""


class MeasuredClock(msgspec.Struct, frozen=True, kw_only=True):
    """A device's real rate, against the machine's monotonic clock."""

    rate_hz: float
    off_ppm: float
    """How much faster than its nominal rate, in parts per million; negative: slower."""

    uncertain_ppm: float
    """Nineteen of twenty measurements are nearer than this; longer ones are more exact."""


class ChannelCarried(msgspec.Struct, frozen=True, kw_only=True):
    """What one channel of a microphone carried."""

    channel: int
    """From 1."""

    carries: str
    """`sound`, `noise`, or `nothing`: exact zeros."""

    peak_dbfs: float
    rms_dbov: float
    loud_dbov: float
    """A tenth of the time it was louder than this."""

    noise_floor_dbov: float | None
    """Nine tenths of the time it was louder than this; null where there were no pauses."""

    offset: float
    """Its mean, full scale being 1."""

    clipped_share: float
    """Of the time, cut off at full scale; 0 to 1."""

    zero_share: float
    """Of the samples, exactly zero; 0 to 1."""


class SpeakerTried(msgspec.Struct, frozen=True, kw_only=True):
    """How a speaker took what was played."""

    device: str
    place: str | None
    """The sink of the sound server; null for devices that are not the server's."""

    sample_rate: int
    channels: int
    virtual: bool
    seconds: float
    """That were played, pauses included."""

    clock: MeasuredClock | None
    underruns_ms: float
    """Due and not there to be played."""

    unheard_ms: float
    """Written and not taken by the device."""

    stood_still_ms: float
    """By how much less was played than its measured rate would have brought."""

    latency_ms: float
    """From the program to the speaker, by what the system says, queues included."""


class InputTested(Document, frozen=True, kw_only=True):
    """What a microphone delivered."""

    ok: bool
    """No fault was found."""

    verdict: str
    """A sentence."""

    remedy: str | None
    """What to do first, where something was found."""

    findings: tuple[FoundInTest, ...]
    device: str
    place: str | None
    """The source of the sound server; null for devices that are not the server's."""

    virtual: bool
    seconds: float
    sample_rate: int
    """Nominal, in Hz."""

    clock: MeasuredClock | None
    """Null where the test was too short to tell."""

    peak_dbfs: float
    """Of what a call would hear, as the next six."""

    rms_dbov: float
    loud_dbov: float
    noise_floor_dbov: float | None
    loudness_lufs: float | None
    """Integrated, by BS.1770; null of silence."""

    clipped_share: float
    zero_share: float
    channels: tuple[ChannelCarried, ...]
    """As the device has them, before they are mixed."""

    mixed_from: int
    """How many channels the device has."""

    gaps: int
    missing_ms: float
    lost_ms: float
    """Captured and overwritten before it was read."""

    first_sound_ms: float
    """From the start of the device to its first sample."""

    latency_ms: float
    """From the microphone to the program, by what the system says."""

    level_every_ms: float
    levels_dbov: tuple[float, ...]
    """The loudest channel over time."""

    playback: SpeakerTried | None
    """Null where nothing was played back."""


class ToneHeard(msgspec.Struct, frozen=True, kw_only=True):
    """A tone that was played."""

    channel: int
    """From 1."""

    name: str
    frequency_hz: float
    seconds: float


class OutputTested(Document, frozen=True, kw_only=True):
    """What a speaker was given."""

    ok: bool
    verdict: str
    remedy: str | None
    findings: tuple[FoundInTest, ...]
    tones: tuple[ToneHeard, ...]
    speaker: SpeakerTried
