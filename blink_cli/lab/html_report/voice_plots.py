"""The plots of one voice at one ear, each with a title, a unit and one sentence that says how to read it."""

from collections.abc import Iterable, Sequence
from typing import Final

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.playout_decision import PlayoutAction, PlayoutReason
from blink_cli.lab.html_report.happenings import KINDS, Moment
from blink_cli.lab.html_report.markup import Node, element
from blink_cli.lab.html_report.plot import (
    Lane,
    Scale,
    TimeAxis,
    bars,
    lanes,
    line,
    plot,
    scale_from_zero,
    stretches,
    x_of,
)
from blink_cli.lab.verdict.report import PairResult, PicturesResult
from blink_cli.record.rtp_log.decision_lines import DecisionLine

_HEIGHT_PX: Final = 76

_LEVELS: Final = Scale(-60.0, 0.0, ((-60.0, "-60"), (-40.0, "-40"), (-20.0, "-20"), (0.0, "0")))

_LIKENESS: Final = Scale(0.7, 1.0, ((0.7, "0.7"), (0.8, "0.8"), (0.9, "0.9"), (1.0, "1")))

CULPRITS: Final = {
    "sender_capture": "the speaker's microphone",
    "sender_machine": "the speaker's machine",
    "network_out": "the network",
    "network_in": "the network",
    "receiver_machine": "the listener's machine",
    "receiver_device": "the listener's loudspeaker",
    "buffer": "the listener's playout buffer",
}

DISTURBED_S: Final = 3.0
"""A disturbance is of so many seconds before it is told."""

_A = PlayoutAction
_ROWS: Final[tuple[tuple[str, str, tuple[PlayoutAction, ...]], ...]] = (
    ("played", "played", (_A.PLAYED,)),
    ("copy", "copy", (_A.COPY,)),
    ("resent", "copy", (_A.RESENT,)),
    ("FEC", "fec", (_A.FEC, _A.DRED)),
    ("made up", "concealed", (_A.CONCEALED,)),
    ("pause", "background", (_A.BACKGROUND,)),
    ("shortened", "shortened", (_A.SHORTENED,)),
    ("lengthened", "lengthened", (_A.LENGTHENED,)),
    ("left out", "skipped", (_A.SKIPPED,)),
    ("nothing", "slept", (_A.WAITED, _A.SLEPT, _A.SILENCED)),
    ("too late", "late", (_A.LATE,)),
    ("dropped", "discarded", (_A.DISCARDED, _A.DUPLICATE)),
)
"""Label, style and actions of each row of the playout's plot."""

ACTIONS: Final[dict[PlayoutAction, str]] = {
    _A.PLAYED: "played: from its own packet",
    _A.COPY: "copy: from a copy in another packet (RED)",
    _A.RESENT: "resent: its packet was lost and asked for again (NACK)",
    _A.FEC: "FEC: from the packet behind it (Opus FEC)",
    _A.DRED: "DRED: from what a later packet tells of it",
    _A.CONCEALED: "made up: no packet had it",
    _A.BACKGROUND: "pause: the speaker sends none",
    _A.SHORTENED: "shortened: sound was left out, to come sooner",
    _A.LENGTHENED: "lengthened: sound was repeated, to come later",
    _A.SKIPPED: "left out for good",
    _A.WAITED: "nothing played, though frames wait",
    _A.SLEPT: "nothing played, and nothing waits",
    _A.SILENCED: "silence in place of all voices",
    _A.LATE: "a packet came too late",
    _A.DUPLICATE: "a packet came again",
    _A.DISCARDED: "a packet was dropped",
    _A.BEGAN: "another stream began",
}

_R = PlayoutReason
REASONS: Final[dict[PlayoutReason, str]] = {
    _R.IN_TIME: "it was there in time",
    _R.MISSING: "its packet was missing, and a later one was there",
    _R.NOTHING_CAME: "neither it nor a later one had come",
    _R.TOO_EARLY: "it was waited for: the delay was below its target",
    _R.NETWORK_STANDS_STILL: "nothing had come for 80 ms",
    _R.UNDECODABLE: "it could not be decoded",
    _R.PAUSE: "the speaker is silent or muted",
    _R.OVER_TARGET: "the delay was above its target",
    _R.UNDER_TARGET: "the delay was below its target",
    _R.OVERDUE: "it had waited too long",
    _R.RESUMED: "behind a standstill later sound was due first",
    _R.NOT_DUE: "its time had not come",
    _R.FELL_ASLEEP: "nothing had come for a second or more",
    _R.DEVICE_STOOD_STILL: "the device wanted nothing",
    _R.TIME_OVER: "its time was over",
    _R.KNOWN: "it waited already",
    _R.FULL: "too much waited",
    _R.FOREIGN: "it was of a stream that is over",
    _R.UNKNOWN_TYPE: "its type was not agreed",
    _R.NEW_STREAM: "a new source, or a jump in time",
}


def done_plot(axis: TimeAxis, pair: PairResult) -> Node:
    """Draw what was done to the voice, when it was shown as talking, and who is blamed."""
    rows = []
    if axis.happenings.moments:
        rows += [
            Lane("steps" if place == 0 else "", (), tuple(_number(axis, one) for one in moments))
            for place, moments in enumerate(_apart(axis))
        ]
    for kind, name in KINDS.items():
        spans = [one for one in axis.happenings.stretches if one.kind == kind]
        if spans:
            boxes = tuple(
                stretches(
                    [(one.start_s, one.end_s)],
                    class_=kind,
                    text=f"{one.about}, {one.start_s:g} to {one.end_s:g} s",
                )
                for one in spans
            )
            rows.append(Lane(_SHORT[name], boxes))
    rows.append(
        Lane(
            "talking",
            (
                stretches(
                    _talking(pair.talking, axis.duration_s),
                    class_="talking",
                    text=f"{pair.listener} is shown that {pair.speaker} talks",
                ),
            ),
        )
    )
    if pair.disturbances:
        boxes = tuple(
            stretches(
                [(max(one.at_s - DISTURBED_S, 0.0), one.at_s)],
                class_="culprit",
                text=f"{CULPRITS.get(one.culprit, one.culprit)}: {one.reason}",
            )
            for one in pair.disturbances
        )
        rows.append(Lane("blamed", boxes))
    return lanes(
        axis,
        rows,
        key="done",
        title="What happened",
        about=f"The numbers are explained above; “talking” is when {pair.listener} was shown that {pair.speaker} talks.",
    )


def _number(axis: TimeAxis, one: Moment) -> Node:
    at = x_of(axis, one.at_s)
    return element(
        "g",
        element("title", "; ".join(one.texts)),
        element("circle", cx=at, cy=8, r=7.5, class_="number"),
        element("text", str(one.number), x=at, y=12, text_anchor="middle", class_="number"),
    )


def _apart(axis: TimeAxis) -> list[list[Moment]]:
    """Spread the moments over as many rows as their numbers need beside each other."""
    rows: list[list[Moment]] = []
    for one in axis.happenings.moments:
        free = (row for row in rows if one.at_s - row[-1].at_s >= _BESIDE * axis.duration_s)
        row = next(free, None)
        if row is None:
            rows.append([one])
        else:
            row.append(one)
    return rows


_BESIDE: Final = 0.045
"""Of the width: two numbers beside each other on a narrow screen."""

_SHORT: Final = {
    "muted": "muted",
    "process stands still": "stopped",
    "not in the call": "away",
    "nothing passes": "outage",
}


def _talking(told: Sequence[tuple[float, bool]], end_s: float) -> list[tuple[float, float]]:
    spans: list[tuple[float, float]] = []
    since: float | None = None
    for at_s, on in told:
        if on and since is None:
            since = at_s
        elif not on and since is not None:
            spans.append((since, at_s))
            since = None
    if since is not None:
        spans.append((since, end_s))
    return [(start_s, min(stop_s, end_s)) for start_s, stop_s in spans if start_s < end_s]


def measured_plots(axis: TimeAxis, pair: PairResult) -> Iterable[Node]:
    """Draw the figures that the report has over time."""
    delay = scale_from_zero(max((value for _, value in pair.delay_series), default=0.0), 60.0)
    yield plot(
        axis,
        delay,
        _HEIGHT_PX,
        [line(pair.delay_series, delay, _HEIGHT_PX, class_="delay", longest_gap_s=0.35)],
        key="delay",
        title="Delay",
        unit="ms",
        about="From mouth to ear. Below 150 ms nobody notices it; above 300 ms people talk into each other.",
    )
    jitter = scale_from_zero(max((value for _, value in pair.jitter_series), default=0.0), 6.0)
    yield plot(
        axis,
        jitter,
        _HEIGHT_PX,
        [line(pair.jitter_series, jitter, _HEIGHT_PX, class_="jitter", longest_gap_s=2.5)],
        key="jitter",
        title="Jitter",
        unit="ms",
        about="How unevenly packets arrive; the playout must wait longer the more it is.",
    )
    yield _shares(
        axis,
        [(at_s, lost / sent, f"{lost} of {sent} packets") for at_s, sent, lost in pair.loss_series if sent],
        key="loss",
        title="Lost",
        about="Packets that the network lost, in each second. Copies and FEC can still save their sound.",
    )
    yield _shares(
        axis,
        [(at_s, share, f"{100 * share:.1f} %") for at_s, share in pair.concealed_series],
        key="concealed",
        title="Made up",
        about="Sound for which no packet was there in time, in each second. Above 2 % one begins to hear it.",
    )
    yield plot(
        axis,
        _LEVELS,
        _HEIGHT_PX,
        [line(pair.level_series, _LEVELS, _HEIGHT_PX, class_="level", longest_gap_s=0.35)],
        key="level",
        title="Level",
        unit="dBFS",
        about="How loud the voice is heard while it speaks; speech is well between -30 and -15.",
    )


def picture_plots(axis: TimeAxis, pictures: PicturesResult) -> Iterable[Node]:
    """Draw how pictures came; what an engine does not know is left out."""
    frames = scale_from_zero(max((float(count) for _, count in pictures.frames_series), default=0.0), 10.0)
    yield plot(
        axis,
        frames,
        _HEIGHT_PX,
        bars(
            [(at_s, float(count), f"{count} pictures") for at_s, count in pictures.frames_series],
            frames,
            _HEIGHT_PX,
            class_="frames",
            width_s=1.0,
        ),
        key="frames",
        title="Pictures",
        unit="a second",
        about="Pictures that were decoded in each second; below ten a second movements are not smooth.",
    )
    if pictures.delay_series:
        delay = scale_from_zero(max(value for _, value in pictures.delay_series), 60.0)
        yield plot(
            axis,
            delay,
            _HEIGHT_PX,
            [line(_thinned(pictures.delay_series), delay, _HEIGHT_PX, class_="delay", longest_gap_s=0.5)],
            key="picture-delay",
            title="Picture delay",
            unit="ms",
            about="From camera to screen. Where it is longer than the voice's, lips are late.",
        )
    if pictures.ssim_series:
        yield plot(
            axis,
            _LIKENESS,
            _HEIGHT_PX,
            [line(pictures.ssim_series, _LIKENESS, _HEIGHT_PX, class_="level", longest_gap_s=2.5)],
            key="ssim",
            title="SSIM",
            unit="",
            about="How much shown pictures are like what the camera saw; 1 is the same, below 0.9 they are coarse.",
        )


def _shares(
    axis: TimeAxis, values: Sequence[tuple[float, float, str]], *, key: str, title: str, about: str
) -> Node:
    scale = scale_from_zero(100 * max((share for _, share, _ in values), default=0.0), 3.0)
    drawn = bars(
        [(at_s, 100 * share, text) for at_s, share, text in values if at_s < axis.duration_s],
        scale,
        _HEIGHT_PX,
        class_=key,
        width_s=1.0,
    )
    return plot(axis, scale, _HEIGHT_PX, drawn, key=key, title=title, unit="% of each second", about=about)


def playout_plots(axis: TimeAxis, decisions: Sequence[DecisionLine]) -> Iterable[Node]:
    """Draw what the listener's playout did, and how it let the voice wait."""
    waits = [
        (one.time_s, one.delay_ms, one.target_ms)
        for one in decisions
        if one.delay_ms is not None
        and one.target_ms is not None
        and one.action in (_A.PLAYED, _A.COPY, _A.FEC, _A.DRED)
    ]
    scale = scale_from_zero(max((max(delay, target) for _, delay, target in waits), default=0.0), 60.0)
    yield plot(
        axis,
        scale,
        _HEIGHT_PX,
        [
            line(
                _thinned([(at_s, target) for at_s, _, target in waits]),
                scale,
                _HEIGHT_PX,
                class_="target",
                longest_gap_s=0.5,
            ),
            line(
                _thinned([(at_s, delay) for at_s, delay, _ in waits]),
                scale,
                _HEIGHT_PX,
                class_="waiting",
                longest_gap_s=0.5,
            ),
        ],
        key="buffer",
        title="Waiting in the playout",
        unit="ms",
        about="How long sound waits here so that late packets are still in time (solid), and how long it should (dashed).",
    )
    rows = [
        Lane(label, tuple(_boxes(decisions, actions, class_, axis.duration_s)))
        for label, class_, actions in _ROWS
        if any(one.action in actions for one in decisions)
    ]
    yield lanes(
        axis,
        rows,
        key="playout",
        title="What the playout did",
        about="Each 20 ms of sound stands in the row that says where it came from. The first row alone is best.",
    )


def _boxes(
    decisions: Sequence[DecisionLine], actions: Sequence[PlayoutAction], class_: str, end_s: float
) -> Iterable[Node]:
    reasons = dict.fromkeys((one.action, one.reason) for one in decisions if one.action in actions)
    for action, reason in reasons:
        spans: list[tuple[float, float]] = []
        for one in decisions:
            if (one.action, one.reason) == (action, reason) and 0.0 <= one.time_s < end_s:
                until_s = min(one.time_s + one.samples / SAMPLE_RATE_HZ, end_s)
                if spans and one.time_s - spans[-1][1] < _TOUCHING_S:
                    spans[-1] = (spans[-1][0], max(until_s, spans[-1][1]))
                else:
                    spans.append((one.time_s, until_s))
        yield stretches(spans, class_=class_, text=f"{ACTIONS[action]}; {REASONS[reason]}")


_TOUCHING_S: Final = 0.005
_THIN_S: Final = 0.1


def _thinned(series: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Keep a value for each tenth of a second."""
    kept: list[tuple[float, float]] = []
    for at_s, value in series:
        if not kept or at_s - kept[-1][0] >= _THIN_S - 1e-6:
            kept.append((at_s, value))
    return kept
