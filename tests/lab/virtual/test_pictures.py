"""Calls with pictures in virtual time: they go over the voice's line, in its gaps, and the same case gives the same bytes."""

import statistics
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest

from blink_cli.commands.lab_text import pictures_table
from blink_cli.core.errors import UsageError
from blink_cli.core.expectation.expectation import Window
from blink_cli.lab.html_report.page import html_page
from blink_cli.lab.html_report.run_folder import RunFolder
from blink_cli.lab.running import run_cases
from blink_cli.lab.scenario.observation import Observation
from blink_cli.lab.verdict.figures import PairFigures
from blink_cli.lab.verdict.run_command import RunCommand
from blink_cli.lab.virtual.engine import run_virtual
from blink_cli.lab.virtual.session import VirtualSession
from tests.lab.scenario.reading import one_case

pytestmark = pytest.mark.no_clock

HEAD = 'duration = 8\nexpect = ["frames > 1"]\n'
ALICE_SHOWS = '[[step]]\nat = 1\nwho = "alice"\ndo = "camera-on"\n'

PEOPLE = """
[[participant]]
name = "alice"
camera = "CAMERA"
[[participant]]
name = "bob"
"""


def run(text: str, head: str = HEAD, folder: Path | None = None) -> Observation:
    return run_virtual(one_case(head + text) if folder is None else one_case(head + text, folder=folder))


def figures(seen: Observation) -> dict[tuple[str, str], PairFigures]:
    return {(pair.speaker, pair.listener): PairFigures(seen, pair) for pair in seen.pairs}


def line(text: str) -> str:
    return f'[[network]]\nline = "{text}"\n'


def told(seen: Observation) -> str:
    return repr(
        [(pair.sent_at, pair.sent_bytes, pair.arrived, pair.readings, pair.pictures) for pair in seen.pairs]
    ) + repr([float(np.abs(pair.heard).sum()) for pair in seen.pairs])


def test_who_turns_a_camera_on_is_seen_at_once_sharp_and_nobody_else_is() -> None:
    seen = run(ALICE_SHOWS + line("delay=10ms"))
    pairs = figures(seen)
    there, back = pairs["alice", "bob"], pairs["bob", "alice"]
    assert seen.cameras == {"alice": [(1.0, 8.0)], "bob": []}
    assert there.picture_rate("frames_decoded") == pytest.approx(15, abs=0.5)
    assert there.frames_sent - 2 <= there.counted("pictures.frames_decoded") <= there.frames_sent
    assert there.counted("pictures.total_freezes_s") == 0
    first_at, _ = there.picture_delay[0]
    assert 1.03 < first_at < 1.2, "an offer and its answer take a round trip, a picture half of one"
    delays = [delay_s for at_s, delay_s in there.picture_delay if at_s > 4]
    assert 0.016 <= min(delays) <= max(delays) < 0.1
    assert statistics.fmean(value for _, value in there.ssim) > 0.95
    assert statistics.fmean(value for _, value in there.psnr_db) > 35
    assert not back.pair.pictures
    assert back.picture_bps() is None
    pesq = there.pesq()
    assert pesq is not None
    assert pesq > 4.2


def test_the_same_case_gives_the_same_pictures_and_another_seed_others() -> None:
    case = one_case(HEAD + ALICE_SHOWS + line("loss=8% jitter=15ms rate=300kbit/s queue=200ms"))
    first, again, other = (told(run_virtual(one)) for one in (case, case, case.with_seed(2)))
    assert first == again
    assert first != other


def test_pictures_change_no_fate_of_the_voice() -> None:
    lossy = line("loss=15% burst=3 delay=20ms")
    alone, beside = (run(text) for text in (lossy, ALICE_SHOWS + lossy))
    for one, other in zip(alone.pairs, beside.pairs, strict=True):
        assert one.arrived == other.arrived
        assert one.sent_at[:200] == other.sent_at[:200]


def test_a_narrow_line_is_shared_and_the_voice_does_not_wait() -> None:
    lines = line("rate=250kbit/s queue=300ms delay=10ms")
    alone = figures(run(lines))["alice", "bob"]
    beside = figures(run(PEOPLE.replace("CAMERA", "testsrc?size=640x360&fps=30") + ALICE_SHOWS + lines))[
        "alice", "bob"
    ]
    bits_s = beside.picture_bps()
    assert bits_s is not None
    assert 50_000 < bits_s < 200_000
    waits, waits_beside = (
        statistics.median(delay_s for at_s, delay_s in pair.delay if at_s > 4) for pair in (alone, beside)
    )
    assert waits_beside < waits + 0.03
    assert beside.loss() == 0
    assert beside.counted("pictures.total_freezes_s") < 0.5


def test_what_the_line_loses_of_pictures_is_asked_for_again() -> None:
    pair = figures(run(ALICE_SHOWS + line("loss=10% delay=10ms")))["alice", "bob"]
    assert pair.counted("pictures.nack_count") > 5
    assert pair.counted("pictures.retransmitted_packets_received") > 5
    assert pair.counted("pictures.frames_decoded") > 0.9 * pair.frames_sent


def test_pictures_freeze_while_the_line_is_out_and_go_on() -> None:
    pair = figures(run(ALICE_SHOWS + line("outage=4s+1500ms delay=10ms")))["alice", "bob"]
    frozen_s = pair.counted("pictures.total_freezes_s")
    assert 1.4 < frozen_s < 2.5
    assert pair.counted("pictures.freeze_count") >= 1
    assert pair.counted("pictures.frames_decoded", Window(6.5, 8.0)) > 15


def test_pictures_follow_a_line_that_becomes_narrow(tmp_path: Path) -> None:
    make_film(tmp_path / "film.mkv", "ffv1", 24, noise=40)
    pair = figures(
        run(
            PEOPLE.replace("CAMERA", "file:film.mkv?loop=1&fps=15")
            + ALICE_SHOWS
            + line("rate=2Mbit/s queue=300ms delay=10ms")
            + '[[network]]\nat = 5\nline = "rate=200kbit/s queue=300ms delay=10ms"\n',
            folder=tmp_path,
        )
    )["alice", "bob"]
    wide_bps, narrow_bps = (pair.picture_bps(window) for window in (Window(3.0, 5.0), Window(6.0, 8.0)))
    assert wide_bps is not None
    assert narrow_bps is not None
    assert wide_bps > 300_000
    assert narrow_bps < 150_000
    assert narrow_bps > 30_000


def test_cameras_go_off_and_are_changed_in_the_middle() -> None:
    seen = run(
        ALICE_SHOWS
        + """
        [[step]]
        at = 3
        who = "alice"
        do = "set-camera"
        what = "testsrc?size=160x90&fps=10"
        [[step]]
        at = 6
        who = "alice"
        do = "camera-off"
        """
    )
    pair = figures(seen)["alice", "bob"]
    assert seen.cameras["alice"] == [(1.0, 6.0)]
    assert pair.counted("pictures.frames_decoded", Window(1.5, 3.0)) == pytest.approx(22, abs=3)
    assert pair.counted("pictures.frames_decoded", Window(3.5, 5.5)) == pytest.approx(20, abs=3)
    assert pair.counted("pictures.frames_decoded", Window(6.5)) == 0
    assert (pair.last_pictures.frame_width, pair.last_pictures.frame_height) == (160, 90)
    assert not seen.notes


def test_three_see_each_other_and_who_comes_late_sees_at_once() -> None:
    seen = run(
        """
        [[participant]]
        name = "alice"
        [[participant]]
        name = "bob"
        [[participant]]
        name = "carol"
        [[step]]
        at = 1
        who = "*"
        do = "camera-on"
        [[step]]
        at = 0
        who = "carol"
        do = "join"
        [[step]]
        at = 3
        who = "carol"
        do = "leave"
        [[step]]
        at = 5
        who = "carol"
        do = "join"
        """
    )
    pairs = figures(seen)
    for pair in (("alice", "bob"), ("bob", "alice")):
        assert pairs[pair].picture_rate("frames_decoded") == pytest.approx(15, abs=0.5)
    assert seen.cameras["carol"] == [(1.0, 3.0)], "a camera is off when its call ended"
    late = pairs["alice", "carol"]
    assert late.counted("pictures.frames_decoded", Window(5.0, 6.0)) > 8
    assert late.counted("pictures.total_freezes_s") == 0, "nobody was there to see"


def test_a_session_looks_when_something_is_due_and_no_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a call of eight takes minutes: each moment that is superseded must not make another one."""
    looks: list[float] = []
    look = VirtualSession.look

    def counted(session: VirtualSession, now_s: float) -> None:
        looks.append(now_s)
        look(session, now_s)

    monkeypatch.setattr(VirtualSession, "look", counted)
    run(
        "[matrix]\nparticipants = [4]\n" + ALICE_SHOWS.replace('"alice"', '"*"'),
        head='duration = 3\nexpect = ["frames > 1"]\n',
    )
    assert 100 < len(looks) / (4 * 4) < 500, "a second and a session"


def test_who_stands_still_sees_and_shows_again_when_it_goes_on() -> None:
    pairs = figures(
        run(
            """
            [[step]]
            at = 1
            who = "*"
            do = "camera-on"
            [[step]]
            at = 3
            who = "bob"
            do = "stop"
            [[step]]
            at = 4
            who = "bob"
            do = "continue"
            """
        )
    )
    for pair in pairs.values():
        assert pair.counted("pictures.frames_decoded", Window(5.0, 8.0)) == pytest.approx(48, abs=6)
        assert pair.counted("pictures.total_freezes_s") > 0.5


@pytest.mark.parametrize("camera", ["blank", "file:film.mkv?loop=1", "image:still.png", "testsrc?codec=h264"])
def test_every_camera_without_hardware_is_seen_as_it_is(camera: str, tmp_path: Path) -> None:
    make_film(tmp_path / "film.mkv", "ffv1", 24)
    make_film(tmp_path / "still.png", "png", 1)
    seen = run(
        PEOPLE.replace("CAMERA", camera) + ALICE_SHOWS,
        head='duration = 4\nexpect = ["frames > 1"]\n',
        folder=tmp_path,
    )
    pair = figures(seen)["alice", "bob"]
    assert pair.counted("pictures.frames_decoded") > 30
    assert statistics.fmean(value for _, value in pair.ssim) > 0.85


def make_film(path: Path, codec: str, frames: int, *, noise: float = 0) -> None:
    """Waves that move, in grey, and noise over them."""
    chance = np.random.default_rng(1)
    rows, columns = np.mgrid[0:120, 0:160]
    container = av.open(str(path), "w", format="image2" if codec == "png" else None)
    with container as file:
        stream = file.add_stream(codec, rate=12)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = 160, 120
        stream.pix_fmt = "rgb24" if codec == "png" else "yuv420p"
        for number in range(frames):
            waves = 127 + 90 * np.sin((rows + 2 * columns + 6 * number) / 17)
            grey = (waves + chance.normal(0, noise, waves.shape)).clip(0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(np.repeat(grey[:, :, None], 3, axis=2), format="rgb24")
            file.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        file.mux(stream.encode(None))


def test_a_real_camera_is_refused_with_a_hint() -> None:
    with pytest.raises(UsageError, match="none in virtual time") as refused:
        run(PEOPLE.replace("CAMERA", "default") + ALICE_SHOWS)
    assert refused.value.hint is not None
    assert "--engine real" in refused.value.hint


def test_a_recording_with_pictures_is_refused_with_a_hint_and_one_of_voices_made() -> None:
    records = '[[step]]\nat = {}\nwho = "bob"\ndo = "record"\n'
    with pytest.raises(UsageError, match="recordings in virtual time have none") as refused:
        run(ALICE_SHOWS + records.format(2))
    assert refused.value.hint is not None
    assert "--engine real" in refused.value.hint
    assert run(ALICE_SHOWS + records.format(0.5)).recordings


def test_a_report_with_pictures_is_the_same_twice_and_tells_them(tmp_path: Path) -> None:
    case = one_case(HEAD + ALICE_SHOWS + line("loss=5% delay=10ms"))
    made = []
    for name in ("one", "two"):
        report = run_cases(
            [case], RunCommand(("trial",), "virtual"), out=tmp_path / name, version="", progress=nobody
        )
        made.append(msgspec.json.encode(report))
    assert made[0] == made[1]
    files = [
        sorted(path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*"))
        for name in ("one", "two")
    ]
    assert files[0] == files[1]
    for file in files[0]:
        if (tmp_path / "one" / file).is_file():
            assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()

    (result,) = report.cases
    there, back = result.pairs
    assert back.pictures is None
    pictures = there.pictures
    assert pictures is not None
    assert (pictures.frame_width, pictures.frame_height) == (320, 240)
    assert pictures.frames_sent >= pictures.frames_received >= pictures.frames_decoded > 90
    assert pictures.ssim is not None
    assert pictures.delay_ms is not None
    assert [second for second, _ in pictures.frames_series] == [1, 2, 3, 4, 5, 6, 7]
    table = pictures_table(report.cases)
    assert table is not None
    assert [row[0].keep for row in table.rows] == ["alice->bob"]
    page = html_page(report, RunFolder(tmp_path / "one"), nobody).content.decode()
    for title in ("Pictures a second", "Picture delay", "SSIM", "PSNR"):
        assert title in page


def nobody(_done: float) -> None:
    """Who watches the progress."""
