"""The session at a glance: what stands in its lines."""

import msgspec
import pytest

from blink_cli.commands.status_text import status_lines
from blink_cli.core.api.events import LinkState
from blink_cli.core.api.replies.calls import CurrentCall, Participant
from blink_cli.core.api.replies.codec import OpusCopy, OpusLibraries
from blink_cli.core.api.replies.devices import MixFigures
from blink_cli.core.api.replies.paths import MediaPath, RefusedInRoom
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.replies.video import VideoState
from blink_cli.core.ids import CallId
from tests.support.scripted_session import BOB, ScriptedSession

pytestmark = pytest.mark.no_clock


def lines(opus: OpusLibraries | None) -> list[str]:
    state: Status = msgspec.structs.replace(ScriptedSession().state, opus=opus)
    return [line for line in status_lines(state) if "opus" in line]


def test_the_opus_library_is_told_with_what_it_can_do_and_what_was_passed_over() -> None:
    plain = OpusCopy(path="/wheel/libopus.so", origin="pyav", name="libopus 1.6.1")
    deep = OpusCopy(path="/lib/libopus.so.0", origin="system", name="libopus 1.5.2", deep_plc=True, osce=True)
    old = OpusCopy(path="/old/libopus.so", origin="system", passed_over="it is libopus 1.2, older than 1.3")
    assert lines(None) == []
    assert lines(OpusLibraries(plain)) == [
        "  opus    libopus 1.6.1, without deep PLC and DRED: /wheel/libopus.so"
    ]
    assert lines(OpusLibraries(deep, (plain, old))) == [
        "  opus    libopus 1.5.2, with deep PLC, OSCE: /lib/libopus.so.0",
        "          passed over: /old/libopus.so: it is libopus 1.2, older than 1.3",
    ]


def test_how_lost_sound_is_made_up_is_told_with_what_was_beyond_the_tick() -> None:
    opus = OpusLibraries(
        OpusCopy(path="/lib/libopus.so.0", origin="system", deep_plc=True), concealment="deep"
    )
    state: Status = msgspec.structs.replace(ScriptedSession().state, opus=opus)
    assert "  concealment  deep" in list(status_lines(state))
    mix = MixFigures(limited_s=0.0, limited_now_db=0.0, deep_concealed_s=1.25, deep_refused_s=0.4)
    told = next(
        line for line in status_lines(msgspec.structs.replace(state, mix=mix)) if "concealment" in line
    )
    assert told.startswith("  concealment  deep, 1.2 s guessed by a network, 0.4 s without it")


@pytest.mark.parametrize(("at_once", "told"), [(4, "4 heard at once"), (None, "everybody is heard")])
def test_a_call_through_an_sfu_says_so_and_how_many_are_heard(at_once: int | None, told: str) -> None:
    state: Status = ScriptedSession().state
    replace = msgspec.structs.replace
    path = MediaPath(type="sfu", remote="192.0.2.7")
    bob = Participant(
        did=BOB, nickname="bob", self=False, link=LinkState.CONNECTED, muted=False, deafened=False, recording=False,
        talking=False, gain_db=0.0, path=path,
    )  # fmt: skip
    call = CurrentCall(
        id=CallId("be" * 16),
        state="in_call",
        since="2026-01-01T00:00:00Z",
        participants=(bob,),
        sfu="wss://sfu.example.org",
        heard_at_once=at_once,
        refused_in_room=RefusedInRoom(malformed=0, unknown=0, forged=2, replayed=10),
    )
    shown = list(status_lines(replace(state, call=call)))
    assert f"  through the SFU wss://sfu.example.org, {told}" in shown
    assert "  refused of what came through the SFU: 12 packets (10 replayed, 2 changed)" in shown
    assert any(line.strip().startswith("bob:") and line.endswith(", through the SFU") for line in shown), (
        shown
    )


@pytest.mark.parametrize(
    ("video", "told"),
    [
        (VideoState(on=False, camera="testsrc"), "testsrc, off"),
        (VideoState(on=True, camera="testsrc"), "testsrc, on, sent to nobody"),
        (
            VideoState(on=True, camera="cam", mime_type="video/H264", frame_width=640, frame_height=360),
            "cam, on, 640x360, H.264",
        ),
    ],
)
def test_ones_own_camera_has_a_line(video: VideoState, told: str) -> None:
    state: Status = ScriptedSession().state
    assert not any("camera" in line for line in status_lines(state)), "nobody wanted pictures"
    assert f"  camera  {told}" in list(status_lines(msgspec.structs.replace(state, video=video)))
