"""From what was kept of a call with an echo peer to a verdict for each direction, in words."""

from typing import Final

import msgspec

from blink_cli.app.media.echo_meter import EchoMeter, LinkFigures
from blink_cli.audio.echo.comparison import Comparison, compare
from blink_cli.audio.echo.speech_score import pesq_wideband
from blink_cli.audio.echo.timelines import heard, sent
from blink_cli.core.analysis.e_model import QualityEstimate, estimate, grade
from blink_cli.core.api.replies.echo import EchoDirection, EchoVerdict
from blink_cli.core.errors import NotInstalledError
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.rtp import EncodedFrame, ReceptionReport, RtpPacket

SILENT_DBOV: Final = -55.0
LEAST_PESQ_S: Final = 2.0
LEAST_FOUND: Final = 0.5
"""Of the voice: with less, more is missing than is there."""

_NOTHING_SENT: Final = (
    "nothing_sent",
    "Nothing could come back: no sound was sent.",
    "Are you muted, and did you speak after the rising beep? `blink test-input` tries the microphone.",
)

THERE_NOTE: Final = (
    "Of the loss that the echo peer reported, what the copies of frames leave is calculated (p q^levels, q the chance that a loss goes on),"
    " not measured; the delay is the sound's round trip less the way back."
)


class Kept(msgspec.Struct, frozen=True):
    """Copies of what an `EchoMeter` kept, for a worker thread."""

    frames: tuple[EncodedFrame, ...]
    packets: tuple[RtpPacket, ...]
    payload_types: tuple[int, int | None] | None
    voice_levels: tuple[int, ...]
    last_report: ReceptionReport | None
    figures: LinkFigures | None

    @classmethod
    def of(cls, meter: EchoMeter) -> "Kept":
        """Copy them. On the event loop."""
        return cls(
            tuple(meter.frames),
            tuple(meter.packets),
            meter.payload_types,
            tuple(meter.voice_levels),
            meter.last_report,
            meter.figures,
        )


class Sound(msgspec.Struct, frozen=True):
    """What the comparison of both timelines gave."""

    comparison: Comparison | None
    pesq_wb: float | None
    pesq_why: str | None


def listen(kept: Kept) -> Sound:
    """Make both timelines and compare them: some tenths of a second, two with PESQ. For a worker thread.

    Raises:
        DeviceError: There is no libopus.

    """
    spoken = sent(kept.frames)
    came = None if kept.payload_types is None else heard(kept.packets, kept.payload_types)
    if spoken is None or came is None:
        return Sound(None, None, "nothing came back")
    comparison = compare(spoken, came)
    if comparison.found_s < LEAST_PESQ_S:
        return Sound(
            comparison, None, f"{comparison.found_s:.1f} s of voice came back, {LEAST_PESQ_S:g} are needed"
        )
    try:
        return Sound(comparison, pesq_wideband(comparison.pieces), None)
    except NotInstalledError as missing:
        return Sound(comparison, None, f"{missing.message} {missing.hint}")


def verdict(meter: EchoMeter, kept: Kept, sound: Sound, nickname: str) -> EchoVerdict:
    """Say what it all means. On the event loop."""
    back = _back(kept)
    comparison = sound.comparison
    way_ms = None if comparison is None or comparison.way_s is None else 1000 * comparison.way_s
    there = _there(
        kept, None if way_ms is None or back.delay_ms is None else max(0.0, way_ms - back.delay_ms)
    )
    code, sentence, remedy = _outcome(kept, comparison)
    if code == "came_back":
        assert comparison is not None, "it was found by it"
        share = "" if comparison.found_share is None else f", {comparison.found_share:.0%} of it recognised"
        score = "" if sound.pesq_wb is None else f", PESQ-WB {sound.pesq_wb:.2f}"
        sentence = f"Your voice came back after {way_ms:.0f} ms{share}{score}. There: {there.grade}. Back: {back.grade}."
        if "poor" in {there.grade, back.grade}:
            remedy = "`blink rtp-stats --watch` in a call tells loss and jitter as they come; is it Wi-Fi, or a machine that is too busy?"
    statistics = None if kept.figures is None else kept.figures.statistics
    return EchoVerdict(
        call=meter.call,
        did=meter.peer,
        nickname=nickname,
        ok=code == "came_back",
        code=code,
        verdict=sentence,
        remedy=remedy,
        there=there,
        back=back,
        round_trip_ms=None
        if statistics is None or statistics.rtt_s is None
        else round(1000 * statistics.rtt_s, 2),
        sound_round_trip_ms=None if way_ms is None else round(way_ms, 1),
        heard_s=0.0 if comparison is None else comparison.found_s,
        found_share=None if comparison is None else comparison.found_share,
        level_change_db=None if comparison is None else comparison.change_db,
        pesq_wb=sound.pesq_wb,
        pesq_why=sound.pesq_why,
    )


def _outcome(kept: Kept, comparison: Comparison | None) -> tuple[str, str, str | None]:
    if kept.figures is None:
        return (
            "no_packets",
            "No audio connection to an echo peer stood.",
            "`blink peers` tells whether one is there; `blink echo` starts one, `blink echo --call` starts one here and calls it.",
        )
    if not kept.packets:
        return (
            "no_packets",
            "Nothing came back: the connection stood, and no packet of the echo peer arrived.",
            "Does a firewall stop UDP towards this machine?",
        )
    # Without frames, not even silent ones, there was nothing to compare with.
    return _NOTHING_SENT if comparison is None else _by_sound(comparison)


def _by_sound(comparison: Comparison) -> tuple[str, str, str | None]:
    if comparison.found_s > 0.0:
        share = comparison.found_share
        if share is not None and share < LEAST_FOUND:
            return (
                "in_pieces",
                f"Only {share:.0%} of your voice came back so that it is recognised.",
                "`blink rtp-stats --watch` in a call tells loss and jitter as they come, `blink status` whether a machine is too slow.",
            )
        return "came_back", "", None
    if not comparison.spoke:
        return (
            "too_short",
            "The call was over before the echo peer said what it had heard.",
            "Hold it longer: `--hold` must be more than the echo peer's stretch (`blink echo --stretch`) and a second.",
        )
    if comparison.sent_dbov < SILENT_DBOV:
        return _NOTHING_SENT
    return (
        "no_voice",
        "Packets came back, but not your voice.",
        "Is the peer an echo peer? `blink rtp-stats` tells what was lost on the way.",
    )


def _back(kept: Kept) -> EchoDirection:
    inbound = None if kept.figures is None else kept.figures.statistics.inbound
    analysis = None if inbound is None else inbound.analysis
    if inbound is None or not kept.packets:
        return EchoDirection("nothing", "No packet came.", 0, None, None, None, None, None)
    quality = None if analysis is None else analysis.quality
    delay_ms = None if quality is None else quality.inputs["one_way_delay_ms"]
    lost = inbound.packets_lost / max(1, inbound.packets_lost + inbound.packets_received)
    level_dbov = None if analysis is None else analysis.mean_level_dbov
    return EchoDirection(
        grade=_grade(quality),
        sentence=_sentence(lost, delay_ms, level_dbov, quality),
        packets=inbound.packets_received,
        lost_share=round(lost, 5),
        jitter_ms=None if inbound.jitter is None else round(1000 * inbound.jitter, 2),
        delay_ms=delay_ms,
        level_dbov=None if level_dbov is None else round(level_dbov, 1),
        quality=quality,
    )


def _there(kept: Kept, delay_ms: float | None) -> EchoDirection:
    outbound = None if kept.figures is None else kept.figures.statistics.outbound
    level_dbov = sum(kept.voice_levels) / len(kept.voice_levels) if kept.voice_levels else None
    report = kept.last_report
    if outbound is None or kept.figures is None or report is None:
        packets = None if outbound is None else outbound.packets_sent
        return EchoDirection(
            "unknown", "The echo peer reported nothing.", packets, None, None, None, level_dbov, None
        )
    lost = min(1.0, max(0.0, report.packets_lost / max(1, outbound.packets_sent)))
    left = _left_by_copies(lost, kept.figures.loss_told, kept.figures.redundancy_levels)
    quality = None
    if delay_ms is not None:
        quality = msgspec.structs.replace(
            estimate(lost_share=left, burst_ratio=1.0, one_way_delay_ms=delay_ms), note=THERE_NOTE
        )
    return EchoDirection(
        grade=_grade(quality),
        sentence=_sentence(lost, delay_ms, level_dbov, quality),
        packets=outbound.packets_sent,
        lost_share=round(lost, 5),
        jitter_ms=round(1000 * report.jitter_s, 2),
        delay_ms=None if delay_ms is None else round(delay_ms, 1),
        level_dbov=None if level_dbov is None else round(level_dbov, 1),
        quality=quality,
    )


def _left_by_copies(lost_share: float, told: LossReport | None, levels: int) -> float:
    """What is lost with all of its copies, if a loss goes on with the chance that the mean burst says, or by chance."""
    goes_on = lost_share
    if told is not None and told.mean_burst_packets > 1.0:
        goes_on = max(goes_on, 1.0 - 1.0 / told.mean_burst_packets)
    return float(lost_share * goes_on**levels)


def _grade(quality: QualityEstimate | None) -> str:
    return "unknown" if quality is None else grade(quality.mos)


def _sentence(
    lost_share: float, delay_ms: float | None, level_dbov: float | None, quality: QualityEstimate | None
) -> str:
    parts = [f"{lost_share:.1%} lost on the way"]
    if delay_ms is not None:
        parts.append(f"{delay_ms:.0f} ms")
    if level_dbov is not None:
        parts.append(f"{level_dbov:.0f} dBov")
    if quality is not None:
        parts.append(f"MOS {quality.mos:.1f} (estimate)")
    return ", ".join(parts) + "."
