"""What `score` found, for people. Pure."""

from collections.abc import Sequence
from typing import Final

from blink_cli.codec.figures import MissingStretch, PairDelay, ScoreDone
from blink_cli.commands.codec_text import sound_text
from blink_cli.commands.names_shown import counted

_MOST_PLACES: Final = 3
"""Of gaps and the like in a line; `--json` has them all."""


def score_lines(done: ScoreDone) -> list[str]:
    """Lines of a comparison."""
    lines = [f"heard     {sound_text(done.heard)}", f"sent      {sound_text(done.sent)}"]
    if done.delay is None or done.found_share is None:
        lines.append("found     nothing of what was sent is found in what was heard")
    else:
        lines += [
            f"found     {100 * done.found_share:.4g} % of the speech that was sent",
            f"delay     {_delay_text(done.delay)}",
            f"level     {_signed(done.level_change_db or 0.0, 'dB')}",
            f"gaps      {_gaps_text(done.gaps)}",
            f"starts    {_starts_text(done)}",
            f"clicks    {_clicks_text(done.clicks)}",
        ]
    if done.pesq_wb is not None:
        lowest = (
            f" (lowest {done.pesq_wb_lowest:g}, of the piece at {done.pesq_wb_lowest_at_s:g} s)"
            if done.pesq_wb_lowest != done.pesq_wb
            else ""
        )
        lines.append(f"quality   PESQ-WB {done.pesq_wb:g}{lowest}; over {done.judged_s:g} s")
    return lines


def _delay_text(delay: PairDelay) -> str:
    text = f"{delay.median_ms:g} ms"
    if delay.highest_ms - delay.lowest_ms >= 1.0:
        text += f" (median; {delay.lowest_ms:g} to {delay.highest_ms:g} ms, 95 %: {delay.p95_ms:g} ms)"
    if delay.drift_ppm is not None:
        text += f", drift {_signed(delay.drift_ppm, 'ppm')}"
    if delay.steps:
        told = [f"{_signed(step.by_ms, 'ms')} at {step.at_s:g} s" for step in delay.steps[:_MOST_PLACES]]
        text += f", {counted(len(delay.steps), 'step')}: {', '.join(told)}{_more(delay.steps)}"
    return text


def _gaps_text(gaps: Sequence[MissingStretch]) -> str:
    if not gaps:
        return "none"
    whole = sum(one.duration_ms for one in gaps)
    longest = max(one.duration_ms for one in gaps)
    sums = f", {whole:.4g} ms in all, at most {longest:g} ms" if len(gaps) > 1 else ""
    return f"{len(gaps)}{sums}: {_places_text(gaps)}"


def _starts_text(done: ScoreDone) -> str:
    if not done.clipped_starts:
        return f"none of {done.starts} clipped"
    return f"{len(done.clipped_starts)} of {done.starts} clipped: {_places_text(done.clipped_starts)}"


def _places_text(found: Sequence[MissingStretch]) -> str:
    told = [f"{one.duration_ms:g} ms at {one.at_s:g} s" for one in found[:_MOST_PLACES]]
    return f"{', '.join(told)}{_more(found)}"


def _clicks_text(clicks: Sequence[float]) -> str:
    if not clicks:
        return "none"
    return f"{len(clicks)}: {', '.join(f'at {at_s:g} s' for at_s in clicks[:_MOST_PLACES])}{_more(clicks)}"


def _more(found: Sequence[object]) -> str:
    return " …" if len(found) > _MOST_PLACES else ""


def _signed(value: float, unit: str) -> str:
    return f"{value:+g} {unit}" if value else f"0 {unit}"
