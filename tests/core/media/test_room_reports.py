"""What is known of the way to the listeners of a room, as one report."""

from blink_cli.core.media.room_reports import LIFETIME_S, RoomReports
from blink_cli.core.media.rtp import ReceptionReport


def report(fraction_lost: float, arrival_s: float = 0.0, jitter_s: float = 0.001) -> ReceptionReport:
    return ReceptionReport(7, fraction_lost, 0, 0, jitter_s, arrival_s, 0.02)


def lost(reports: RoomReports[str], now_s: float = 0.0) -> float | None:
    worst = reports.worst(now_s)
    return None if worst is None else worst.fraction_lost


def test_of_few_listeners_the_worst_counts() -> None:
    reports = RoomReports[str]()
    assert lost(reports) is None
    reports.from_server(report(0.01))
    reports.from_listener("ann", report(0.0))
    reports.from_listener("bob", report(0.2, jitter_s=0.05))
    worst = reports.worst(0.0)
    assert worst is not None
    assert (worst.fraction_lost, worst.jitter_s, worst.rtt_s) == (0.2, 0.05, 0.02)


def test_of_many_listeners_one_bad_line_does_not_count() -> None:
    reports = RoomReports[str]()
    for number in range(19):
        reports.from_listener(f"good {number}", report(0.0))
    reports.from_listener("bad", report(0.5))
    assert lost(reports) == 0.0
    reports.from_listener("good 0", report(0.3))
    reports.from_listener("good 1", report(0.1))
    assert lost(reports) == 0.1


def test_the_way_to_the_server_always_counts_and_old_reports_never() -> None:
    reports = RoomReports[str]()
    reports.from_server(report(0.1))
    reports.from_listener("ann", report(0.3))
    assert lost(reports) == 0.3
    reports.from_server(report(0.1, arrival_s=1.0))
    assert lost(reports, LIFETIME_S + 0.5) == 0.1
    assert lost(reports, LIFETIME_S + 2.0) is None
