"""What stands on the page, without a browser."""

import io
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile

from blink_cli.core.errors import BlinkError, NotFoundError, UsageError
from blink_cli.core.media.playout_decision import PlayoutAction, PlayoutReason
from blink_cli.lab.html_report import page as page_module
from blink_cli.lab.html_report.happenings import happenings
from blink_cli.lab.html_report.markup import document, element, number
from blink_cli.lab.html_report.matrix import WORST, shade
from blink_cli.lab.html_report.page import html_page
from blink_cli.lab.html_report.plot import scale_from_zero
from blink_cli.lab.html_report.run_folder import RunFolder
from blink_cli.lab.html_report.sounds import encoded, picture
from blink_cli.lab.html_report.voice_plots import ACTIONS, REASONS
from blink_cli.lab.verdict.kept_report import REPORT, read_report
from tests.lab.html_report.runs import kept

pytestmark = pytest.mark.no_clock


def test_text_is_never_markup() -> None:
    made = document(element("p", "<script>&\x07\ud800", title='"><script>'))
    assert (
        made
        == b'<!doctype html>\n<p title="&quot;&gt;<script&gt;">&lt;script&gt;&amp;\xef\xbf\xbd\xef\xbf\xbd</p>\n'
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.001, "0"),
        (12.5, "12.5"),
        (100, "100"),
        (100.0, "100"),
        (-3.456, "-3.46"),
        (20.10, "20.1"),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


def test_what_was_done_is_told_in_time() -> None:
    (case,) = kept().report.cases
    what = happenings(case, "alice", "bob")
    assert what.at_first == "perfect"
    assert [(one.number, one.at_s) for one in what.moments] == [(1, 2.0), (2, 4.0)]
    assert "loss=20%" in what.moments[0].texts[0]
    assert [(one.kind, one.start_s, one.end_s) for one in what.stretches] == [
        ("muted", 4.0, 6.0),
        ("outage", 4.0, 4.3),
    ]
    assert [one.kind for one in happenings(case, "bob", "alice").stretches] == ["muted"]


def test_the_decision_log_adds_up() -> None:
    report, folder = kept().report, kept().folder
    pair = report.cases[0].pairs[0]
    assert pair.decisions_file is not None
    lines = RunFolder(folder).decisions(pair.decisions_file)
    assert {line.peer for line in lines} == {"alice"}
    for told in pair.playout:
        those = [one for one in lines if (one.action, one.reason) == (told.action, told.reason)]
        assert told.count == len(those)
        assert told.ms == pytest.approx(sum(one.samples for one in those) / 48, abs=0.06)
    played = sum(told.ms for told in pair.playout if told.action in ("played", "copy", "fec", "concealed"))
    assert 5000 < played < 7000
    assert [one.culprit for one in pair.disturbances] == ["network_in"]


def test_every_action_and_reason_has_its_words() -> None:
    assert set(ACTIONS) == set(PlayoutAction)
    assert set(REASONS) == set(PlayoutReason)


def test_a_sound_lies_where_it_was() -> None:
    click = np.zeros(48_000, np.float32)
    click[24_000:24_480] = 0.5 * np.sin(np.arange(480) / 10).astype(np.float32)
    heard, rate_hz = soundfile.read(io.BytesIO(encoded(click)), dtype="float32")
    assert rate_hz == 48_000
    assert len(heard) >= 48_000
    late = int(np.argmax(np.correlate(heard[:48_000], click, "full"))) - (len(click) - 1)
    assert abs(late) < 24, "half a millisecond"


def test_a_picture_shows_a_tone_where_it_is() -> None:
    import base64  # noqa: PLC0415 - for this test

    sound = (0.1 * np.sin(2 * np.pi * 2000 * np.arange(96_000) / 48_000)).astype(np.float32)
    sound[48_000:] = 0
    kind, _, content = picture(sound, 2.0).partition(",")
    assert kind == "data:image/png;base64"
    shades = _shades(base64.b64decode(content))
    loud = np.argwhere(shades[:, 100] > 10)[:, 0]
    # 2 kHz of 8, from above: three quarters down.
    assert abs(loud.mean() - 0.75 * len(shades)) < 2
    assert shades[:, 500].max() == 0


def _shades(png: bytes) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    import zlib  # noqa: PLC0415 - for this test

    columns, rows = (int.from_bytes(png[place : place + 4], "big") for place in (16, 20))
    start = png.index(b"IDAT") + 4
    size = int.from_bytes(png[start - 8 : start - 4], "big")
    lines = np.frombuffer(zlib.decompress(png[start : start + size]), np.uint8).reshape(
        rows, 1 + columns // 2
    )
    packed = lines[:, 1:]
    return np.stack((packed >> 4, packed & 15), axis=2).reshape(rows, columns)


@pytest.mark.parametrize(("highest", "top"), [(0.0, 60.0), (61.0, 100.0), (389.0, 400.0), (1700.0, 2000.0)])
def test_a_scale_holds_all(highest: float, top: float) -> None:
    scale = scale_from_zero(highest, 60.0)
    assert scale.high == top
    assert 3 <= len(scale.ticks) <= 5
    assert scale.y_px(0, 100) == 100


def test_shades_grow_with_what_is_bad() -> None:
    assert [shade("pesq_wb", value) for value in (4.6, 4.0, 1.0)] == [0, 1, WORST]
    assert [shade("delay_ms.median", value) for value in (40, 160, 900)] == [0, 2, WORST]


def test_what_has_no_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "MOST_SOUND_BYTES", 60_000)
    monkeypatch.setattr(page_module, "MOST_VOICES", 1)
    made = html_page(kept().report, RunFolder(kept().folder), lambda _: None)
    assert (made.sounds, made.sounds_left_out, made.voices_left_out) == (1, 1, 1)
    text = made.content.decode()
    assert "left out" in text
    assert "none of this one" in text
    assert len(made.content) < len(kept().page.content)


def test_a_folder_that_is_none_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_report(tmp_path)
    (tmp_path / REPORT).write_text("{}")
    with pytest.raises(UsageError):
        read_report(tmp_path)
    evil = msgspec.structs.replace(kept().report.cases[0].pairs[0], heard_file="../outside.wav")
    case = msgspec.structs.replace(kept().report.cases[0], pairs=(evil,))
    report = msgspec.structs.replace(kept().report, cases=(case,))
    with pytest.raises(BlinkError, match="outside of its folder"):
        html_page(report, RunFolder(kept().folder), lambda _: None)
