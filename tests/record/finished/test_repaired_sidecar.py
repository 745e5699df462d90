"""What is told of a repaired recording fits what its file holds."""

import pytest

from blink_cli.core.ids import CallId
from blink_cli.record.finished.repaired_sidecar import UNKNOWN_REASON, repaired_sidecar
from blink_cli.record.recording.sidecar import GapEntry, ParticipantEntry, Sidecar, Stint
from tests.record.simulated_call import BOB

pytestmark = pytest.mark.no_clock


def left_over(reason: str | None = None) -> Sidecar:
    bob = ParticipantEntry(
        did=BOB,
        nickname="bob",
        self=False,
        track=0,
        stints=[Stint(0.0, 4.0), Stint(5.0, 9.5), Stint(9.6, 9.9)],
        gaps=[GapEntry(1.0, 1.5, "lost"), GapEntry(8.0, 9.2, "lost"), GapEntry(9.3, 9.4, "dtx")],
        gaps_omitted=0,
        missing_s={"lost": 1.7, "dtx": 0.1},
        frames=300,
        frames_recovered=0,
        frames_late=0,
        clock_corrections=0,
        anchors=[],
    )
    return Sidecar(
        finished=False,
        reason=reason,
        call=CallId("c0ffee"),
        started="2026-01-14T10:15:00.000Z",
        started_monotonic_s=1.0,
        duration_s=10.0,
        described_s=9.5,
        formats=["mp4"],
        participants=[bob],
        markers=[],
        files=[],
    )


def test_what_was_torn_off_is_cut() -> None:
    whole = repaired_sidecar(left_over(), "x.mp4", 9.0)
    assert (whole.finished, whole.reason, whole.duration_s) == (True, UNKNOWN_REASON, 9.0)
    assert whole.described_s == 9.0
    (bob,) = whole.participants
    assert bob.stints == [Stint(0.0, 4.0), Stint(5.0, 9.0)]
    assert bob.gaps == [GapEntry(1.0, 1.5, "lost"), GapEntry(8.0, 9.0, "lost")]
    assert bob.missing_s == {"lost": 1.5, "dtx": 0.0}
    assert [(file.name, file.participants) for file in whole.files] == [("x.mp4", [BOB])]


def test_what_the_file_holds_beyond_is_not_made_up() -> None:
    left = left_over("no space left on device")
    whole = repaired_sidecar(left, "x.mp4", 11.0)
    assert (whole.reason, whole.duration_s, whole.described_s) == ("no space left on device", 11.0, 9.5)
    assert whole.participants == left.participants
