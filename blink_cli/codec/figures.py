"""What the codec tool prints. Light: no sound is needed to know its names.

A figure that cannot be had is None. Every unit is in the name; levels are dBFS, RMS, a full-scale sine being -3.
"""

import msgspec


class SoundFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of sound."""

    path: str
    kind: str
    """What it is: WAV, FLAC, MP3, Ogg Opus, MP4, raw …"""

    rate_hz: int
    channels: int
    duration_s: float
    level_dbfs: float | None
    """RMS over all of it; null for digital silence."""

    peak_dbfs: float | None
    """The largest sample; null for digital silence, or where nobody looked."""


class CodingFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How it was encoded."""

    library: str
    """The libopus that did it."""

    bitrate_bps: int
    """As asked for."""

    frame_ms: float
    bandwidth: str
    application: str
    rate_hz: int
    """Of the samples that the encoder was given."""

    channels: int
    complexity: int
    fec: str
    """`on` or `off`."""

    dtx: bool
    cbr: bool


class BitrateFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Payload bits a second of media time."""

    mean_bps: float
    peak_bps: float
    """Of the fullest second."""

    with_copies_bps: float | None
    """The mean with redundant copies and RTP headers; null without RTP."""


class PacketFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the packets."""

    encoded: int
    unsent: int
    """Frames that were left out by DTX."""

    sent: int
    lost: int
    """By the simulated line."""

    recovered_by_fec: int
    recovered_by_redundancy: int
    concealed_ms: float
    """Sound that was made up."""

    mean_bytes: float
    """Of the payload, without copies."""

    largest_bytes: int


class DelayFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How late sound comes out. Devices come on top."""

    algorithmic_ms: float
    """A whole frame must be there, and the encoder looks ahead."""

    measured_ms: float | None
    """Between what went in and what came out, by the waveforms: without RTP by how much the decoder's output is late (the encoder's look-ahead), with RTP from
    mouth to ear (median)."""

    p95_ms: float | None
    """The same, exceeded a twentieth of the time; null without RTP."""


class QualityFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How alike both are. Judged on excerpts of at most ten seconds that hold sound."""

    excerpts: int
    judged_s: float
    snr_db: float | None
    """Aligned signal-to-noise ratio: what was sent, each second moved to a fraction of a sample and scaled so that it fits best, over what is left when that is taken away.
    It says how well the waveform is kept and nothing of how it sounds: a voice codec that is hard to tell from the original may have 10 dB."""

    gain_db: float | None
    """By which the fits were scaled, on average."""

    pesq_wb: float | None
    """ITU-T P.862.2, 1 to 4.64: the mean of the excerpts."""

    visqol: float | None
    """ViSQOL, speech mode, 1 to 5: the mean of the excerpts."""

    missing: tuple[str, ...]
    """What was not judged, why, and how to get it."""


class RoundTripDone(msgspec.Struct, frozen=True, kw_only=True):
    """What Opus and the line made of a file."""

    input: SoundFile
    output: SoundFile
    path: str
    """`direct`, or `rtp`: through RTP sender, receiver and playout buffer."""

    loss: float
    """Share that the line was told to lose."""

    burst_packets: float
    seed: int
    redundancy: str
    coding: CodingFigures
    packets: PacketFigures
    bitrate: BitrateFigures
    delay: DelayFigures
    quality: QualityFigures


class PacketsWritten(msgspec.Struct, frozen=True, kw_only=True):
    """A file of Opus packets was made."""

    input: SoundFile
    output: SoundFile
    packets: int
    mean_bps: float
    peak_bps: float
    """Of the fullest second."""

    pre_skip_samples: int
    """At 48 kHz: the encoder's look-ahead, which readers leave out at the start."""

    coding: CodingFigures | None
    """How it was encoded; null for packets that were copied."""


class PacketsDecoded(msgspec.Struct, frozen=True, kw_only=True):
    """A file of Opus packets was decoded."""

    input: SoundFile
    output: SoundFile
    packets: int
    undecodable: int
    """Packets that are no Opus: made up."""

    mean_bps: float
    peak_bps: float
    """Of the fullest second."""

    pre_skip_samples: int
    """At 48 kHz, left out at the start."""

    gain_db: float
    """That the file asks for, and that was applied (RFC 7845, output gain)."""

    tracks: int
    """Of sound in the file; the first was decoded."""


class LoudnessDone(msgspec.Struct, frozen=True, kw_only=True):
    """How loud a file is. Figures in LUFS, LU and dBTP are null in silence, and where the file is too short for them."""

    input: SoundFile
    method: str
    """What stands in the rows: `bs1770` or `rms`."""

    integrated_lufs: float | None
    """ITU-R BS.1770-4: the mean of all that is not silent or much softer than the rest."""

    range_lu: float | None
    """EBU Tech 3342."""

    highest_momentary_lufs: float | None
    """Of 0.4 s."""

    highest_short_term_lufs: float | None
    """Of 3 s."""

    true_peak_dbtp: float | None
    """Between the samples too."""

    rows: int
    """Readings over time, one for each 0.1 s."""

    csv: str | None
    """The file they are in."""

    plot: str | None
    """The picture of them."""


class FeedbackDelay(msgspec.Struct, frozen=True, kw_only=True):
    """From microphone to speaker, as far as the parts know."""

    input_ms: float
    """From the microphone to the program, by what the system says; 0 of virtual devices."""

    codec_ms: float
    """A frame, and what the encoder looks ahead."""

    playout_ms: float
    """In the playout buffer."""

    output_ms: float
    """From the program to the speaker."""

    total_ms: float


class FeedbackPackets(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the packets."""

    sent: int
    lost: int
    """On purpose."""

    unsent: int
    """Frames that were left out by DTX."""

    recovered_by_fec: int
    recovered_by_redundancy: int
    concealed_ms: float
    """Sound that was made up."""


class FeedbackDone(msgspec.Struct, frozen=True, kw_only=True):
    """A microphone was heard through the codec."""

    input: str
    output: str
    seconds: float
    coding: CodingFigures
    redundancy: str
    loss: float
    """Share that was lost on purpose."""

    loudest_dbov: int
    """Of the microphone's frames that were looked at, RFC 6464; -127 is silence."""

    clipped_frames: int
    """Frames in which the microphone was at full scale."""

    capture_gaps: int
    """Times that the microphone's sound was missing."""

    unheard_ms: float
    """Sound that the speaker did not take."""

    mean_bps: float | None
    packets: FeedbackPackets
    delay: FeedbackDelay


class SoundRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """A microphone was recorded."""

    input: str
    output: SoundFile
    gaps: int
    """Times that sound was missing."""

    missing_ms: float


class SoundPlayed(msgspec.Struct, frozen=True, kw_only=True):
    """A file was played."""

    input: SoundFile
    output: str
    seconds: float
    lost_ms: float
    """Due and not there: the device ran dry."""

    latency_ms: float
    """From the program to the speaker, by what the system says."""


class FrameLength(msgspec.Struct, frozen=True, kw_only=True):
    """A length that frames may have."""

    frame_ms: float
    samples: dict[str, int]
    """By sample rate in Hz."""

    fec: bool
    """Whether such packets can carry in-band FEC."""


class BandwidthName(msgspec.Struct, frozen=True, kw_only=True):
    """A bandwidth of Opus."""

    name: str
    up_to_hz: int
    opus: int
    """Its number in libopus's API."""


class ExtraState(msgspec.Struct, frozen=True, kw_only=True):
    """What a plain install leaves out."""

    name: str
    what: str
    installed: bool
    install: str
    """The words that install it."""


class CodecInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What Opus can be asked for here."""

    library: str
    library_path: str
    rates_hz: tuple[int, ...]
    """At which it takes and gives samples; files of other rates are converted."""

    frames: tuple[FrameLength, ...]
    bandwidths: tuple[BandwidthName, ...]
    applications: tuple[str, ...]
    lowest_bitrate_bps: int
    highest_bitrate_bps: int
    sample_formats: tuple[str, ...]
    """Of samples without a header, and of files that are written."""

    extras: tuple[ExtraState, ...]


class DelayAt(msgspec.Struct, frozen=True, kw_only=True):
    """The delay of one second."""

    at_s: float
    """Its middle, in HEARD."""

    delay_ms: float
    """The median of its windows of speech."""


class DelayStep(msgspec.Struct, frozen=True, kw_only=True):
    """The delay is another from here on."""

    at_s: float
    """In HEARD."""

    by_ms: float


class PairDelay(msgspec.Struct, frozen=True, kw_only=True):
    """How much later sound stands in HEARD than in SENT, over windows of 0.4 s of speech. From mouth to ear, if both files begin at the same moment."""

    median_ms: float
    lowest_ms: float
    p95_ms: float
    highest_ms: float
    drift_ppm: float | None
    """How fast it grows between steps: by how much the listener's clock is slower; null where less than 5 s can be told."""

    steps: tuple[DelayStep, ...]
    """Where it changes by 2 ms or more from one window to the next."""

    over_time: tuple[DelayAt, ...]


class MissingStretch(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing sounds where a voice should."""

    at_s: float
    """In HEARD."""

    duration_ms: float


class ScoreDone(msgspec.Struct, frozen=True, kw_only=True):
    """What was heard, compared with what was sent."""

    heard: SoundFile
    sent: SoundFile
    found_share: float | None
    """Of the windows of speech of SENT those that were found again in HEARD; null where none of SENT is found."""

    delay: PairDelay | None
    """Null where nothing of SENT is found."""

    level_change_db: float | None
    """By how much louder it was heard: the median over the windows that were found."""

    gaps: tuple[MissingStretch, ...]
    """Of 10 ms or more inside of speech: silence, not sound that was made up."""

    clipped_starts: tuple[MissingStretch, ...]
    """Phrases whose first 15 ms or more are missing, from where they should begin."""

    starts: int
    """Phrases that begin in the part that was compared, behind a pause of 0.15 s or more."""

    clicks: tuple[float, ...]
    """Seconds of HEARD at which the waveform jumps where it did not in SENT; the edges of gaps are not counted."""

    pesq_wb: float | None
    """ITU-T P.862.2, 1 to 4.64: the mean over pieces of some 10 s; 1 where nothing of SENT is found."""

    pesq_wb_lowest: float | None
    """Of its pieces."""

    pesq_wb_lowest_at_s: float | None
    """Where that piece begins, in SENT."""

    judged_s: float
    """How much of SENT was judged: at most 30 pieces, spread over all of it."""

    missing: tuple[str, ...]
    """What was not judged, why, and how to get it."""
