"""Reports for comparisons, made of figures alone."""

from collections.abc import Mapping, Sequence

from blink_cli.lab.verdict.report import (
    CaseResult,
    LabReport,
    PairResult,
    PicturesResult,
    Spread,
    Versions,
)

Figures = Mapping[str, float | None]
"""Of one voice, by the names of `comparison.figures`."""


def spread(median: float | None, p95: float | None = None) -> Spread | None:
    if median is None:
        return None
    return Spread(mean=median, min=median, median=median, p95=median if p95 is None else p95, max=median)


def voice(speaker: str, listener: str, figures: Figures) -> PairResult:
    return PairResult(
        speaker=speaker,
        listener=listener,
        pesq_wb=figures.get("pesq"),
        mos=figures.get("mos"),
        delay_ms=spread(figures.get("delay"), figures.get("delay_p95")),
        level_dbfs=spread(figures.get("level")),
        packets_sent=400,
        packets_lost=0,
        packets_duplicated=0,
        packets_corrupted=0,
        loss=figures.get("loss"),
        late=figures.get("late"),
        recovered=None,
        concealed=figures.get("concealed"),
        jitter_ms=None,
        rtt_ms=None,
        bitrate_bps=figures.get("bitrate"),
        pictures=None if "frozen" not in figures else pictures(figures),
        gaps=tuple((float(place), place + 0.1) for place in range(round(figures.get("gaps") or 0))),
        heard_after_s=None,
        talking_after_ms=figures.get("talking"),
        delay_series=(),
        level_series=(),
        loss_series=(),
        concealed_series=(),
        jitter_series=(),
        talking=(),
        heard_file=None,
    )


def pictures(figures: Figures) -> PicturesResult:
    return PicturesResult(
        shown_s=8.0,
        frames_sent=120,
        frames_received=120,
        frames_decoded=120,
        frames_dropped=0,
        frames_per_second=figures.get("fps"),
        frame_width=None,
        frame_height=None,
        freeze_count=0,
        total_freezes_duration=figures["frozen"] or 0.0,
        packets_received=500,
        retransmitted_packets_received=0,
        nack_count=0,
        pli_count=0,
        bitrate_bps=figures.get("picture_bitrate"),
        delay_ms=spread(figures.get("picture_delay")),
        ssim=spread(figures.get("ssim")),
        psnr_db=spread(figures.get("psnr")),
        frames_series=(),
        delay_series=(),
        ssim_series=(),
    )


def case(label: str, seed: int, voices: Sequence[Figures], *, scenario: str = "trial") -> CaseResult:
    labels = ", ".join(filter(None, (label, f"seed {seed}")))
    return CaseResult(
        name=f"{scenario} [{labels}]",
        scenario=scenario,
        label=labels,
        about="",
        engine="virtual",
        seed=seed,
        duration_s=8.0,
        outcome="passed",
        error=None,
        participants=(),
        steps=(),
        lines=(),
        expectations=(),
        whole_after_s=None,
        pairs=tuple(voice(f"speaker{place}", "listener", figures) for place, figures in enumerate(voices)),
        notes=(),
        folder=None,
    )


def report(cases: Sequence[CaseResult]) -> LabReport:
    return LabReport(
        outcome="passed",
        cases_passed=len(cases),
        cases_failed=0,
        versions=Versions(blink="1", libopus="1", python="3", numpy="2", platform="here"),
        cases=tuple(cases),
    )
