"""From an observation to the result of a case."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.expectation.expectation import Expectation, Statistic, Window
from blink_cli.core.expectation.judgement import Measured, judge, of_series
from blink_cli.core.expectation.vocabulary import Figure
from blink_cli.lab.scenario.case import Case, Person
from blink_cli.lab.scenario.engine_name import EngineName
from blink_cli.lab.scenario.observation import KeptRecording, Observation
from blink_cli.lab.verdict.figures import PairFigures, Series
from blink_cli.lab.verdict.report import (
    CaseResult,
    DisturbanceResult,
    ExpectationResult,
    FindingResult,
    LineResult,
    Outcome,
    PairResult,
    ParticipantResult,
    PicturesResult,
    PlayoutSum,
    RecordingResult,
    Spread,
    StepResult,
)
from blink_cli.record.rtp_log.decision_lines import DecisionLine

_P95: Final = Statistic("p95", 95.0)
_SOUND_DEEDS: Final = ("speak", "set-input")


def judged(case: Case, seen: Observation, *, folder: str | None) -> CaseResult:
    """Compute every figure, and hold them against what is expected.

    Args:
        case: What was run.
        seen: What the engine saw.
        folder: Where its sound files are, below the folder of all; None: they are not kept.

    Raises:
        NotInstalledError: The judge of voices (the extra `lab`) is not there.

    """
    figures = [PairFigures(seen, pair) for pair in seen.pairs]
    expectations = tuple(_expectation(one, case, seen, figures) for one in case.expectations)
    failed = any(one.outcome == "failed" for one in expectations)
    judged_any = any(one.outcome != "skipped" for one in expectations)
    return _result(
        case,
        seen.engine,
        outcome="failed" if failed else "passed" if judged_any else "skipped",
        expectations=expectations,
        pairs=tuple(_pair(case, one, folder=folder) for one in figures),
        whole_after_s=_rounded(seen.whole_after_s, 3),
        notes=tuple(seen.notes),
        folder=folder,
        recordings=tuple(
            RecordingResult(
                recorder=kept.recorder,
                kind=kept.kind,
                participants=kept.participants,
                duration_s=round(kept.duration_s, 3),
                file=None if folder is None else f"{folder}/{recording_name(kept)}",
            )
            for kept in seen.recordings
        ),
    )


def not_run(case: Case, engine: str, reason: str) -> CaseResult:
    """Return the result of a case that could not be run."""
    return _result(case, engine, outcome="failed", error=reason)


def _result(
    case: Case,
    engine: str,
    *,
    outcome: Outcome,
    error: str | None = None,
    expectations: tuple[ExpectationResult, ...] = (),
    pairs: tuple[PairResult, ...] = (),
    whole_after_s: float | None = None,
    notes: tuple[str, ...] = (),
    folder: str | None = None,
    recordings: tuple[RecordingResult, ...] = (),
) -> CaseResult:
    return CaseResult(
        recordings=recordings,
        name=case.name,
        scenario=case.scenario,
        label=case.label,
        about=case.about,
        engine=engine,
        seed=case.seed,
        duration_s=case.duration_s,
        outcome=outcome,
        error=error,
        participants=tuple(_participant(person, folder) for person in case.people),
        steps=tuple(
            StepResult(
                at_s=one.at_s,
                who=one.who,
                do=one.do,
                sound=str(one.sound) if one.do in _SOUND_DEEDS else None,
                camera=one.camera or None,
            )
            for one in case.actions
        ),
        lines=tuple(
            LineResult(at_s=one.at_s, speaker=one.speaker, listener=one.listener, line=one.text)
            for one in case.lines
        ),
        expectations=expectations,
        whole_after_s=whole_after_s,
        pairs=pairs,
        notes=notes,
        folder=folder,
    )


def _expectation(
    expectation: Expectation, case: Case, seen: Observation, figures: Sequence[PairFigures]
) -> ExpectationResult:
    figure = expectation.figure
    unknown = _not_known(seen.engine, figure)
    if unknown is not None:
        return ExpectationResult(text=str(expectation), outcome="skipped", measured=unknown, findings=())
    if figure.of_pairs:
        measured: dict[str, Measured] = {
            f"{one.pair.speaker}->{one.pair.listener}": one.measured(expectation)
            for one in figures
            if expectation.subject.covers(one.pair.speaker, one.pair.listener)
            and (not figure.of_pictures or case.shows(one.pair.speaker))
        }
    else:
        measured = {"": seen.whole_after_s}
    judgement = judge(expectation, measured)
    return ExpectationResult(
        text=str(expectation),
        outcome="passed" if judgement.holds else "failed",
        measured=judgement.sentence,
        findings=tuple(
            FindingResult(
                subject=finding.subject,
                measured=finding.measured
                if isinstance(finding.measured, bool)
                else _rounded(finding.measured, 6),
                holds=finding.holds,
            )
            for finding in judgement.findings
        ),
    )


def _not_known(engine: EngineName, figure: Figure) -> str | None:
    """Why an engine cannot tell a figure; None if it can."""
    if engine == "virtual" and not figure.of_pairs:
        return "the virtual engine starts no sessions; the real one tells it"
    if engine == "real" and figure.knows_cameras:
        return "the real engine does not know what a camera saw; the virtual one tells it"
    return None


def _pictures(figures: PairFigures) -> PicturesResult:
    def counted(name: str) -> int:
        return round(figures.counted(f"pictures.{name}"))

    last = figures.last_pictures
    return PicturesResult(
        shown_s=round(figures.shown_s(), 3),
        frames_sent=round(figures.frames_sent),
        frames_received=counted("frames_received"),
        frames_decoded=counted("frames_decoded"),
        frames_dropped=counted("frames_dropped"),
        frames_per_second=_rounded(figures.picture_rate("frames_decoded"), 2),
        frame_width=last.frame_width,
        frame_height=last.frame_height,
        freeze_count=counted("freeze_count"),
        total_freezes_duration=round(figures.counted("pictures.total_freezes_s"), 3),
        packets_received=counted("packets_received"),
        retransmitted_packets_received=counted("retransmitted_packets_received"),
        nack_count=counted("nack_count"),
        pli_count=counted("pli_count"),
        bitrate_bps=_rounded(figures.picture_bps(), 0),
        delay_ms=_spread(figures.picture_delay, 1000, 2),
        ssim=_spread(figures.ssim, 1, 4),
        psnr_db=_spread(figures.psnr_db, 1, 2),
        frames_series=_frames_by_second(figures),
        delay_series=tuple(
            (round(at_s, 2), round(1000 * delay_s, 2)) for at_s, delay_s in figures.picture_delay
        ),
        ssim_series=tuple((round(at_s, 2), round(value, 4)) for at_s, value in figures.ssim),
    )


def _frames_by_second(figures: PairFigures) -> tuple[tuple[float, int], ...]:
    """Of each second with a camera on; of decoded frames."""
    seconds = sorted(
        {second for start_s, end_s in figures.shown_spans for second in range(int(start_s), int(end_s))}
    )
    return tuple(
        (float(second), round(figures.counted("pictures.frames_decoded", Window(second, second + 1))))
        for second in seconds
    )


def _pair(case: Case, figures: PairFigures, *, folder: str | None) -> PairResult:
    pair = figures.pair
    sent, lost = figures.packets()
    talking, heard = figures.talking(), figures.heard()
    shown = case.shows(pair.speaker)
    return PairResult(
        speaker=pair.speaker,
        listener=pair.listener,
        pesq_wb=_rounded(figures.pesq(), 3),
        mos=figures.mos(),
        delay_ms=_spread(figures.delay, 1000, 2),
        level_dbfs=_spread(figures.level, 1, 1),
        packets_sent=sent,
        packets_lost=lost,
        packets_duplicated=pair.packets_duplicated,
        packets_corrupted=pair.packets_corrupted,
        loss=_rounded(figures.loss(), 5),
        late=_rounded(figures.share("packets_discarded", "packets_received"), 5),
        recovered=_rounded(figures.share("packets_recovered", "packets_received"), 5),
        concealed=_rounded(figures.share("concealed_samples", "total_samples"), 5),
        jitter_ms=_spread(figures.series("jitter_s"), 1000, 2),
        rtt_ms=_spread(figures.series("rtt_s"), 1000, 2),
        bitrate_bps=_rounded(figures.bitrate_bps(), 0),
        frames=round(figures.counted("pictures.frames_decoded")) if shown else None,
        frozen_s=_rounded(figures.counted("pictures.total_freezes_s"), 3) if shown else None,
        pictures=_pictures(figures) if shown else None,
        gaps=tuple((round(start_s, 2), round(end_s, 2)) for start_s, end_s in figures.gaps()),
        heard_after_s=None if isinstance(heard, bool) else _rounded(heard, 3),
        talking_after_ms=None if isinstance(talking, bool) or talking is None else round(1000 * talking, 1),
        delay_series=tuple((round(at_s, 2), round(1000 * delay_s, 2)) for at_s, delay_s in figures.delay),
        level_series=tuple((round(at_s, 2), round(level, 1)) for at_s, level in figures.level),
        loss_series=_loss_by_second(pair.sent_at, pair.arrived),
        concealed_series=_concealed_by_second(figures),
        jitter_series=_worst_by_second(figures.series("jitter_s")),
        talking=tuple((round(at_s, 3), on) for at_s, on in pair.talking),
        playout=_playout_sums(pair.decisions),
        disturbances=tuple(
            DisturbanceResult(
                at_s=round(at_s, 2),
                culprit=one.culprit,
                reason=one.reason,
                damage_ms=one.damage_ms,
            )
            for at_s, one in pair.disturbances
        ),
        heard_file=None if folder is None else f"{folder}/{heard_name(pair.speaker, pair.listener)}",
        decisions_file=None if folder is None else f"{folder}/{decisions_name(pair.speaker, pair.listener)}",
    )


def said_name(name: str) -> str:
    """Return the name of the file of what somebody said."""
    return f"said-{name}.wav"


def speaker_name(name: str) -> str:
    """Return the name of the file of all that came out of somebody's speaker."""
    return f"speaker-{name}.wav"


def heard_name(speaker: str, listener: str) -> str:
    """Return the name of the file of what one heard of another."""
    return f"heard-{speaker}-by-{listener}.wav"


def recording_name(kept: KeptRecording) -> str:
    """Return the name of a file that a participant recorded."""
    return f"recorded-by-{kept.recorder}-{kept.name}"


def decisions_name(speaker: str, listener: str) -> str:
    """Return the name of the file of what a listener's playout did with a voice."""
    return f"decisions-{speaker}-by-{listener}.jsonl"


def _playout_sums(decisions: Sequence[DecisionLine]) -> tuple[PlayoutSum, ...]:
    counts: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for line in decisions:
        told = counts[line.action, line.reason]
        told[0] += 1
        told[1] += line.samples
    return tuple(
        PlayoutSum(action=action, reason=reason, count=count, ms=round(1000 * samples / SAMPLE_RATE_HZ, 1))
        for (action, reason), (count, samples) in sorted(counts.items())
    )


def _participant(person: Person, folder: str | None) -> ParticipantResult:
    codec = person.codec
    return ParticipantResult(
        name=person.name,
        voice="scripted" if person.scripted else str(person.voice),
        bitrate_bps=codec.bitrate_bps,
        frame_ms=codec.frame_ms,
        application=codec.application,
        bandwidth=codec.bandwidth,
        fec=codec.fec,
        redundancy=codec.redundancy,
        redundancy_budget=codec.redundancy_budget_kbps,
        dtx=codec.dtx,
        cbr=codec.cbr,
        complexity=codec.complexity,
        said_file=None if folder is None else f"{folder}/{said_name(person.name)}",
        heard_file=None if folder is None else f"{folder}/{speaker_name(person.name)}",
    )


def _loss_by_second(sent_at: Sequence[float], arrived: Sequence[bool]) -> tuple[tuple[float, int, int], ...]:
    sent = Counter(int(at_s) for at_s in sent_at)
    lost = Counter(int(at_s) for at_s, came in zip(sent_at, arrived, strict=True) if not came)
    return tuple((float(second), sent[second], lost[second]) for second in sorted(sent))


def _concealed_by_second(figures: PairFigures) -> tuple[tuple[float, float], ...]:
    seconds = sorted({int(reading.at_s) for reading in figures.pair.readings})
    shares = (
        (second, figures.share("concealed_samples", "total_samples", Window(second, second + 1)))
        for second in seconds
    )
    return tuple((float(second), round(share, 5)) for second, share in shares if share is not None)


def _worst_by_second(jitter: Series) -> tuple[tuple[float, float], ...]:
    """Engines take readings more often than once a second, each at its own pace."""
    worst: dict[int, tuple[float, float]] = {}
    for at_s, jitter_s in jitter:
        known = worst.get(int(at_s))
        if known is None or jitter_s > known[1]:
            worst[int(at_s)] = (at_s, jitter_s)
    return tuple((round(at_s, 2), round(1000 * jitter_s, 2)) for at_s, jitter_s in worst.values())


def _spread(series: Series, factor: float, digits: int) -> Spread | None:
    values = [factor * value for _, value in series]
    if not values:
        return None
    p95 = of_series(values, _P95)
    assert p95 is not None, "there are values"
    return Spread(
        mean=round(statistics.fmean(values), digits),
        min=round(min(values), digits),
        median=round(statistics.median(values), digits),
        p95=round(p95, digits),
        max=round(max(values), digits),
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
