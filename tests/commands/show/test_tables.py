"""Replies as tables: what names a row, and what a command takes of it."""

import pytest

from blink_cli.api.documents import DeviceRow
from blink_cli.commands.show.layout import unfolded
from blink_cli.commands.show.styled import plain
from blink_cli.commands.show.tables import device_lines, devices_table, heard_lines, name_cell
from blink_cli.core.api.replies.devices import DeviceFigures
from blink_cli.core.api.replies.statistics import Outbound, PeerStatistics, Remote, RtpStatistics
from blink_cli.core.ids import CallId
from blink_cli.core.media.extended_report import VoipMetrics
from tests.support.scripted_session import BOB

pytestmark = pytest.mark.no_clock


def test_a_device_is_listed_by_the_name_that_commands_take_and_by_its_description() -> None:
    sink = DeviceRow(
        name="alsa_output.pci-0000_00_1f.3.analog-stereo",
        description="Built-in Audio Analog Stereo",
        host_api="PulseAudio",
        inputs=0,
        outputs=2,
        default_input=False,
        default_output=True,
        sample_rate=48_000.0,
        virtual=False,
    )
    for columns in (40, 80, 200, None):
        lines = [plain(line) for line in unfolded(devices_table([sink]), columns)]
        assert sink.name in "".join(lines)
        text = " ".join(" ".join(lines).split())
        assert all(
            word in text
            for word in ["Built-in", "Audio", "Analog", "Stereo", "PulseAudio", "48000", "Hz", "output"]
        )


def test_what_tells_two_of_one_name_apart_is_kept() -> None:
    cell = name_cell("anna (…AbCdEf)", BOB, keep=" (you)")
    assert (cell.text, cell.keep) == ("anna", " (…AbCdEf) (you)")
    assert name_cell("", BOB).text == "z6MktwupdmLX…"


def test_figures_are_as_exact_as_anybody_needs_them() -> None:
    device = DeviceFigures(
        device="default", latency_ms=9.876, lost_ms=0.0, late_ticks=3, lateness_p99_ms=413.482
    )
    statistics = RtpStatistics(call=CallId("c0"), peers=(), late_ticks=0, output=device)
    assert device_lines(statistics) == (
        "output  default: latency 9.9 ms, lost 0 ms, late steps 3 (99 % within 413 ms)",
    )


def test_what_the_other_one_hears_is_a_line_and_nothing_where_nobody_tells() -> None:
    def peer(metrics: VoipMetrics | None) -> PeerStatistics:
        remote = Remote(fraction_lost=0.1, jitter=0.001, rtt_s=None, voip_metrics=metrics)
        sent = Outbound(packets_sent=1, bytes_sent=1, bitrate=None, redundancy_levels=0, remote=remote)
        return PeerStatistics(did=BOB, nickname="bob", rtt_s=None, inbound=None, outbound=sent)

    heard = VoipMetrics(
        ssrc=1, loss_rate=0.03, discard_rate=0.015, burst_density=0.5, gap_density=0.0, burst_duration_ms=80,
        gap_duration_ms=900, gmin_packets=16, end_system_delay_ms=93, mos_conversational=3.9,
    )  # fmt: skip
    assert heard_lines([peer(heard), peer(None)]) == (
        "heard   bob hears this voice with 3.0% lost after repair, 1.5% discarded, bursts at 50%, MOS 3.9, 93 ms in its system",
    )
