"""What an engine saw of a case, before anything is judged. Moments are seconds of the scenario; sound is 48 kHz from its second 0 on."""

from dataclasses import dataclass, field

from blink_cli.core.analysis.culprit import Disturbance
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.scenario.engine_name import EngineName
from blink_cli.record.rtp_log.decision_lines import DecisionLine

Span = tuple[float, float]
"""From when until when."""


@dataclass(frozen=True, slots=True)
class PictureReading:
    """The listener's counters of what it sees of somebody at a moment, with W3C's names: since the beginning."""

    frames_sent: int = 0
    """Of the listener's own pictures, to the other one."""

    frames_received: int = 0
    frames_decoded: int = 0
    frames_dropped: int = 0
    freeze_count: int = 0
    total_freezes_s: float = 0.0
    """For how long a picture stood too long (totalFreezesDuration)."""

    packets_received: int = 0
    retransmitted_packets_received: int = 0
    bytes_received: int = 0
    """Of payloads, those that came again included."""

    nack_count: int = 0
    pli_count: int = 0
    frame_width: int | None = None
    """Of the newest picture; None before the first."""

    frame_height: int | None = None


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """A picture that a listener was shown."""

    at_s: float
    delay_s: float
    """Since the camera took it."""

    likeness: tuple[float, float] | None
    """SSIM and PSNR in dB against what the camera saw; None where that was not measured."""


@dataclass(slots=True)
class Reading:
    """The listener's counters of one voice at a moment, as `PlayoutStatistics` counts them: since the beginning."""

    at_s: float
    total_samples: int
    concealed_samples: int
    packets_received: int
    packets_discarded: int
    packets_recovered: int
    jitter_s: float | None = None
    rtt_s: float | None = None
    pictures: PictureReading = PictureReading()


@dataclass(slots=True)
class PairObservation:
    """One voice at one listener."""

    speaker: str
    listener: str
    heard: Samples
    """What the listener heard of it: all that came out of the speaker where `alone` does not say otherwise."""

    connected: list[Span] = field(default_factory=list)
    """When both were in the call, with a link between them."""

    sent_at: list[float] = field(default_factory=list)
    """When each packet was given to the line, in order; the line is the witness, not the program."""

    arrived: list[bool] = field(default_factory=list)
    """Of each, whether a copy came out, whole."""

    sent_bytes: list[int] = field(default_factory=list)
    """Of each, the RTP payload."""

    packets_duplicated: int = 0
    packets_corrupted: int = 0
    readings: list[Reading] = field(default_factory=list)
    talking: list[tuple[float, bool]] = field(default_factory=list)
    """When the listener was told that this one began or stopped talking."""

    decisions: list[DecisionLine] = field(default_factory=list)
    """What the listener's playout did with it: the decision log (docs/replay.md), `time_s` in seconds of the scenario, `peer` the speaker's name."""

    pictures: list[SeenPicture] = field(default_factory=list)
    """What the listener was shown of it; of virtual time alone, which knows what a camera saw."""

    disturbances: list[tuple[float, Disturbance]] = field(default_factory=list)
    """When the listener's session knew who had damaged this voice."""


@dataclass(frozen=True, slots=True)
class KeptRecording:
    """A file that a participant's own recording of the call left."""

    recorder: str
    """Who recorded."""

    name: str
    """Of the file; a recorder has it once."""

    kind: str
    """mp4, wav or sidecar."""

    participants: tuple[str, ...]
    """Whose sound it holds."""

    duration_s: float
    content: bytes = field(repr=False)


def killed_while_recording(name: str) -> str:
    """Say why somebody has no recording."""
    return f"{name} was killed while it recorded: `record repair` would finish that file."


@dataclass(slots=True)
class Observation:
    """All of a case."""

    engine: EngineName
    microphones: dict[str, Samples]
    """What each heard, muted or not."""

    silenced: dict[str, list[Span]]
    """When each was muted."""

    cameras: dict[str, list[Span]]
    """When each had its camera on."""

    speakers: dict[str, Samples]
    """What came out at each: the mix."""

    pairs: list[PairObservation]
    mixed: bool
    """Whether `heard` of a pair is the whole mix, so that it tells of a voice only while no other speaks."""

    whole_after_s: float | None = None
    """Until everybody had everybody's audio, from the last one's joining; None: this engine starts no sessions."""

    recordings: list[KeptRecording] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What whoever believes the figures should know, such as a machine that stood still."""
