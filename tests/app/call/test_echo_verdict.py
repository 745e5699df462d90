"""What is said of a call with an echo peer, by what was kept of it."""

import math

import pytest

from blink_cli.app.call.echo_verdict import Kept, Sound, verdict
from blink_cli.app.media.echo_meter import EchoMeter, LinkFigures
from blink_cli.audio.echo.comparison import Comparison
from blink_cli.core.api.replies.echo import EchoVerdict
from blink_cli.core.api.replies.statistics import Inbound, Outbound, PeerStatistics, Remote
from blink_cli.core.ids import Did
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.rtp import ReceptionReport, RtpPacket

pytestmark = pytest.mark.no_clock

PEER = Did("did:echo")


def inbound(received: int, lost: int) -> Inbound:
    return Inbound(
        packets_received=received,
        packets_lost=lost,
        packets_duplicated=0,
        packets_reordered=0,
        packets_discarded=0,
        packets_recovered=0,
        jitter=0.004,
        concealed_samples=0,
        silent_concealed_samples=0,
        concealment_events=0,
        inserted_samples_for_deceleration=0,
        removed_samples_for_acceleration=0,
        total_samples_received=0,
        jitter_buffer_delay=0.0,
        jitter_buffer_emitted_count=0,
        jitter_buffer_target_delay=0.0,
        delay_ms=40.0,
        audio_level_dbov=-22,
    )


def judged(
    comparison: Comparison | None,
    *,
    lost_there: int = 0,
    told: LossReport | None = None,
    levels: int = 0,
    connected: bool = True,
    packets: int = 1,
) -> EchoVerdict:
    outbound = Outbound(
        packets_sent=500,
        bytes_sent=0,
        bitrate=None,
        redundancy_levels=levels,
        remote=Remote(fraction_lost=0.0, jitter=0.002, rtt_s=0.08),
    )
    statistics = PeerStatistics(
        did=PEER, nickname="echo", rtt_s=0.08, inbound=inbound(480, 20), outbound=outbound
    )
    report = ReceptionReport(
        ssrc=1,
        fraction_lost=0.0,
        packets_lost=lost_there,
        highest_sequence=500,
        jitter_s=0.002,
        arrival_s=0.0,
    )
    packet = RtpPacket(1, 1, 0, 96, marker=False, payload=b"", arrival_s=0.0)
    kept = Kept(
        frames=(),
        packets=(packet,) * packets,
        payload_types=(96, None),
        voice_levels=(-20, -24),
        last_report=report,
        figures=LinkFigures(statistics, told, levels) if connected else None,
    )
    return verdict(EchoMeter(lambda _: None), kept, Sound(comparison, None, None), "echo")


def comparison(
    *, found_s: float = 4.0, found_share: float = 1.0, spoke: bool = True, sent_dbov: float = -20.0
) -> Comparison:
    found = found_s > 0
    return Comparison(
        beeps=2,
        spoke=spoke,
        sent_dbov=sent_dbov,
        voice_s=4.0,
        found_s=found_s,
        found_share=found_share if found else 0.0,
        way_s=0.21 if found else None,
        change_db=0.0 if found else None,
        pieces=(),
    )


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (judged(comparison()), "came_back"),
        (judged(comparison(found_s=0.0)), "no_voice"),
        (judged(comparison(found_s=0.0, sent_dbov=-90.0)), "nothing_sent"),
        (judged(comparison(found_s=0.0, spoke=False)), "too_short"),
        (judged(comparison(found_s=0.25, found_share=0.06)), "in_pieces"),
        (judged(None), "nothing_sent"),
        (judged(None, packets=0), "no_packets"),
        (judged(None, connected=False), "no_packets"),
    ],
)
def test_why_nothing_came_back_is_named_with_a_remedy(what: EchoVerdict, code: str) -> None:
    assert (what.code, what.ok) == (code, code == "came_back")
    assert what.ok or what.remedy
    assert what.verdict.endswith(".")


def test_figures_of_both_directions() -> None:
    found = judged(comparison(), lost_there=25)
    assert found.there.lost_share == pytest.approx(0.05)
    assert found.back.lost_share == pytest.approx(0.04)
    assert found.there.level_dbov == -22.0
    assert found.round_trip_ms == 80.0
    assert found.sound_round_trip_ms == 210.0
    assert found.there.quality is None, "without the way back the way there is not known"
    assert found.there.grade == "unknown"


def test_what_copies_leave_depends_on_how_losses_come_in_a_row() -> None:
    from blink_cli.app.call.echo_verdict import _left_by_copies  # noqa: PLC0415

    assert _left_by_copies(0.1, None, 0) == pytest.approx(0.1)
    assert _left_by_copies(0.1, None, 2) == pytest.approx(0.001)
    bursts = LossReport(fraction_lost=0.1, mean_burst_packets=4.0, longest_burst_packets=9)
    assert _left_by_copies(0.1, bursts, 2) == pytest.approx(0.1 * 0.75**2)
    assert math.isclose(_left_by_copies(0.0, bursts, 2), 0.0)
