"""The document of a run: what was asked, what was measured, and the verdict. A promise, as every JSON of the program is (docs/lab.md).

Fields that were added later have defaults, so that `lab compare` reads the report of a version before. It holds no date and no duration of the run, so that the same run in virtual time gives the same bytes. What cannot be told is null. Moments are
seconds of the scenario.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

SCHEMA = 1

Outcome = Literal["passed", "failed", "skipped"]


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """What a series is like."""

    mean: float
    min: float
    median: float
    p95: float
    max: float


class PlayoutSum(msgspec.Struct, frozen=True, kw_only=True):
    """How often the playout did one thing for one reason (docs/replay.md has all of them)."""

    action: str
    reason: str
    count: int
    """Lines of the decision log: a frame, a packet, or a stretch of rest."""

    ms: float
    """Of sound that was played, made up, left out or repeated; 0 of packets."""


class DisturbanceResult(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody damaged a voice in the three seconds before a moment (docs/analysis.md says how that is known)."""

    at_s: float
    culprit: str
    reason: str
    damage_ms: float


class PicturesResult(msgspec.Struct, frozen=True, kw_only=True):
    """The pictures of one at another's screen, with W3C's names: all that was counted while the case ran."""

    shown_s: float
    """For how long they should have come: the camera was on, and there was a link."""

    frames_sent: int
    frames_received: int
    frames_decoded: int
    frames_dropped: int
    frames_per_second: float | None
    """Decoded, over `shown_s`."""

    frame_width: int | None
    """Of the last one; null where that is not known."""

    frame_height: int | None
    freeze_count: int
    total_freezes_duration: float
    packets_received: int
    retransmitted_packets_received: int
    nack_count: int
    pli_count: int
    bitrate_bps: float | None
    """Payload that came, over `shown_s`; what came again included."""

    delay_ms: Spread | None
    """From camera to screen; null in the real engine, as what follows."""

    ssim: Spread | None
    """Of brightness, of each fifth picture."""

    psnr_db: Spread | None
    """Likewise."""

    frames_series: tuple[tuple[float, int], ...]
    """[second, pictures decoded]."""

    delay_series: tuple[tuple[float, float], ...]
    """[when it was shown, ms]."""

    ssim_series: tuple[tuple[float, float], ...]
    """[when it was shown, SSIM]."""


class PairResult(msgspec.Struct, frozen=True, kw_only=True):
    """One voice at one listener."""

    speaker: str
    listener: str
    pesq_wb: float | None
    """1 to 4.64; null where too little was said, or never alone."""

    mos: float | None
    """The E-model's, of concealment and delay."""

    delay_ms: Spread | None
    """From mouth to ear."""

    level_dbfs: Spread | None
    """How loud it is heard while it speaks."""

    packets_sent: int
    """That the line was given."""

    packets_lost: int
    """That never came out of it."""

    packets_duplicated: int
    packets_corrupted: int
    """That came with a wrong bit, and were refused."""

    loss: float | None
    """Share, 0 to 1."""

    late: float | None
    """Share of packets that came after their moment."""

    recovered: float | None
    """Share of packets whose frame came in another one."""

    concealed: float | None
    """Share of the sound that was made up."""

    jitter_ms: Spread | None
    rtt_ms: Spread | None
    bitrate_bps: float | None
    frames: int | None = None
    """Of its pictures, decoded; null where it shows nothing."""

    frozen_s: float | None = None
    """For how long one of them stood too long."""

    pictures: PicturesResult | None = None
    """All of its pictures; null where it shows nothing."""

    gaps: tuple[tuple[float, float], ...]
    """From when to when it was silent and should not have been, 40 ms or more."""

    heard_after_s: float | None
    """From the first word until it came through; null if it never did."""

    talking_after_ms: float | None
    """The longest time from a word until the listener was told that this one talks; null if it was not told."""

    delay_series: tuple[tuple[float, float], ...]
    """[when it was said, delay in ms] of each window of 0.4 s that was found again."""

    level_series: tuple[tuple[float, float], ...]
    """[when it was said, dBFS]."""

    loss_series: tuple[tuple[float, int, int], ...]
    """[second, packets sent, packets lost]."""

    concealed_series: tuple[tuple[float, float], ...]
    """[second, share concealed in it]."""

    jitter_series: tuple[tuple[float, float], ...]
    """[moment, ms]: the worst of each second."""

    talking: tuple[tuple[float, bool], ...]
    """[moment, began or stopped], as the listener was told."""

    playout: tuple[PlayoutSum, ...] = ()
    """What the listener's playout did with it, all in all."""

    disturbances: tuple[DisturbanceResult, ...] = ()
    """Whose fault the damage was, as the listener's session told."""

    heard_file: str | None
    """What was heard of it, below the folder of `--out`."""

    decisions_file: str | None = None
    """The decision log of it, below the folder of `--out`."""


def spread_value(series: str, statistic: str) -> Callable[[PairResult], float | None]:
    """Return what reads one statistic of a series of a voice, such as `delay_ms` and `median`."""

    def value(pair: PairResult) -> float | None:
        spread: Spread | None = getattr(pair, series)
        return None if spread is None else float(getattr(spread, statistic))

    return value


class FindingResult(msgspec.Struct, frozen=True, kw_only=True):
    """What an expectation found of one subject."""

    subject: str
    """`alice->bob`; empty for the whole call."""

    measured: float | bool | None
    """In the figure's base unit: shares 0 to 1, seconds, bits a second."""

    holds: bool


class ExpectationResult(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `expect`."""

    text: str
    outcome: Outcome
    measured: str
    """The worst, for people; or why it was skipped."""

    findings: tuple[FindingResult, ...]


class ParticipantResult(msgspec.Struct, frozen=True, kw_only=True):
    """Who was there."""

    name: str
    voice: str
    bitrate_bps: int
    frame_ms: float
    application: str
    bandwidth: str
    fec: str
    redundancy: str
    redundancy_budget: int
    """Kilobits a second for each peer; 0: no bound."""

    dtx: bool
    cbr: bool
    complexity: int
    said_file: str | None
    heard_file: str | None
    """What came out of its speaker: all of them."""


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """One step."""

    at_s: float
    who: str
    do: str
    sound: str | None
    camera: str | None = None
    """Of `set-camera`."""


class LineResult(msgspec.Struct, frozen=True, kw_only=True):
    """From a moment on a line was so."""

    at_s: float
    speaker: str
    listener: str
    line: str


class RecordingResult(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a participant's own recording of the call left."""

    recorder: str
    kind: str
    """mp4, wav or sidecar."""

    participants: tuple[str, ...]
    """Whose sound it holds."""

    duration_s: float
    file: str | None
    """Below the folder of `--out`; null: it was not kept."""


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """One case."""

    name: str
    scenario: str
    label: str
    about: str
    engine: str
    seed: int
    duration_s: float
    outcome: Outcome
    error: str | None
    """Why it could not be run; it has failed then."""

    participants: tuple[ParticipantResult, ...]
    steps: tuple[StepResult, ...]
    lines: tuple[LineResult, ...]
    expectations: tuple[ExpectationResult, ...]
    whole_after_s: float | None
    """From the last joining until everybody had everybody's audio; null in virtual time."""

    pairs: tuple[PairResult, ...]
    notes: tuple[str, ...]
    folder: str | None
    """Of its sounds and decisions, below that of `--out`."""

    command: str = ""
    """Runs this case alone once more."""

    recordings: tuple[RecordingResult, ...] = ()
    """What participants recorded, by `record` steps."""


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """What the figures depend on."""

    blink: str
    libopus: str
    python: str
    numpy: str
    platform: str


class LabReport(msgspec.Struct, frozen=True, kw_only=True):
    """All of a run."""

    schema: int = SCHEMA
    outcome: Outcome
    """`failed` if one case has; `skipped` if nothing was judged; else `passed`."""

    command: str = ""
    """Runs all of it once more."""

    cases_passed: int
    cases_failed: int
    versions: Versions
    cases: tuple[CaseResult, ...]
