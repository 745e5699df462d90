"""A logged call is played again to the very samples that were heard, decisions and all; with other settings it is another one."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from blink_cli.audio.devices.wav_recorder import pcm16
from blink_cli.core.errors import NotFoundError, StateError, UsageError
from blink_cli.lab.replay.replay import replay
from tests.lab.replay.logged_call import ALICE, BOB, LoggedCall, bad_line, begin_log, logged_call

pytestmark = pytest.mark.no_clock


def live_through(call: LoggedCall, seed: int) -> None:
    """Two peers on bad lines; gains, mutes, a deafening, a stalled speaker, a frozen process, one who leaves."""
    now_s = call.clock.now_s()
    alice = call.add(ALICE, 1, bad_line(0, 8.0, now_s, seed))
    call.pass_time(0.5)
    call.add(BOB, 2, bad_line(1, 6.0, call.clock.now_s(), seed + 1000), gain_db=9.0)
    call.pass_time(1.0)
    alice.track.gain_db = -4.3
    call.pass_time(0.5)
    call.mixer.pause()
    call.pass_time(0.3)
    call.mixer.play()
    call.pass_time(0.5)
    call.device.stand_still(call.clock.now_s(), 0.3, makes_up=True)
    call.pass_time(1.5)
    alice.track.muted = True
    call.pass_time(0.2)
    alice.track.muted = False
    call.clock.freeze_process(0.8)
    call.pass_time(1.5)
    call.mixer.remove(call.peers.pop(BOB).track)
    call.pass_time(1.0)


def samples(path: str | None) -> bytes:
    assert path is not None
    with wave.open(path) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        data: bytes = file.readframes(file.getnframes())
        return data


@pytest.mark.parametrize("seed", range(4))
def test_a_logged_call_is_replayed_to_the_very_samples(tmp_path: Path, seed: int) -> None:
    with logged_call(tmp_path) as call:
        live_through(call, seed)
        figures = call.peers[ALICE].figures
    again = replay(call.log, {}, tmp_path / "again")
    assert again.is_same, again
    assert again.is_whole, again
    assert [(peer.peer, peer.from_beginning) for peer in again.peers] == [(ALICE, True), (BOB, True)]
    assert sum(peer.ticks for peer in again.peers) > 1000
    # The speaker's file, the silence included that it played while the process was frozen.
    assert samples(again.speakers[0].wav) == pcm16(call.ear.heard)
    assert np.count_nonzero(call.ear.heard) > 100_000
    heard = again.peers[0].heard
    assert heard.concealment_events == figures.concealment_events > 1
    assert heard.recovered == figures.packets_recovered > 3
    assert heard.packets_discarded == figures.packets_discarded
    decided = (tmp_path / "call.playout.jsonl").read_bytes()
    assert Path(again.decisions or "").read_bytes() == decided
    actions = {json.loads(line)["action"] for line in decided.splitlines()}
    assert {"began", "waited", "played", "copy", "concealed", "shortened", "late", "silenced"} <= actions


def test_each_peer_has_a_file_of_its_own_before_gain_and_mix(tmp_path: Path) -> None:
    with logged_call(tmp_path) as call:
        call.add(ALICE, 1, bad_line(0, 3.0, call.clock.now_s(), 5))
        call.pass_time(3.2)
    again = replay(call.log, {}, tmp_path / "again")
    # Alone, and with a gain of one: what she said is what the speaker got.
    (speaker,), (alice,) = again.speakers, again.peers
    mixed, hers = samples(speaker.wav), samples(alice.wav)
    assert mixed.endswith(hers)
    assert set(mixed[: len(mixed) - len(hers)]) <= {0}


def test_other_settings_give_other_figures_beside_the_same_ones(tmp_path: Path) -> None:
    with logged_call(tmp_path) as call:
        call.add(ALICE, 1, bad_line(0, 6.0, call.clock.now_s(), 6))
        call.pass_time(6.2)
    again = replay(call.log, {"minimum_delay_ms": 250.0}, tmp_path / "again")
    assert again.is_same
    (alice,) = again.peers
    assert alice.changed is not None
    assert alice.changed.mean_delay_ms is not None
    assert alice.heard.mean_delay_ms is not None
    assert alice.changed.mean_delay_ms > 200 > alice.heard.mean_delay_ms
    assert alice.changed.concealed_ms < alice.heard.concealed_ms
    assert samples(alice.wav) != samples(alice.changed_wav)
    assert again.changed_settings == {**again.settings, "minimum_delay_ms": 250.0}


def test_of_a_log_that_begins_in_a_call_it_is_said_that_streams_began_before(tmp_path: Path) -> None:
    with logged_call(tmp_path, listens=False) as call:
        call.add(ALICE, 1, bad_line(0, 6.0, call.clock.now_s(), 7))
        call.pass_time(2.0)
        call.listener.writer = begin_log(call.log)
        call.listener.wants_ticks = True
        call.pass_time(4.0)
    again = replay(call.log, {})
    (alice,) = again.peers
    assert not alice.from_beginning
    # The decoder has heard something else before, and never quite forgets it.
    assert not again.is_same
    assert again.is_whole
    assert 350 < alice.ticks < 450


def test_a_tick_that_the_log_lost_is_told(tmp_path: Path) -> None:
    with logged_call(tmp_path) as call:
        call.add(ALICE, 1, bad_line(0, 3.0, call.clock.now_s(), 8))
        call.pass_time(3.0)
    lines = (tmp_path / "call.replay.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "cut.replay.jsonl").write_bytes(b"".join(lines[:100] + lines[105:200]) + lines[200][:-20])
    cut = replay(tmp_path / "cut.replay.jsonl", {})
    assert (cut.is_whole, cut.ticks_lost, cut.lines_unreadable) == (False, 5, 1)
    assert not cut.is_same


def test_nobody_is_asked_to_note_anything_while_nobody_listens(tmp_path: Path) -> None:
    with logged_call(tmp_path, listens=False) as call:
        call.add(ALICE, 1, bad_line(0, 1.0, call.clock.now_s(), 9))
        call.pass_time(1.0)
    assert call.listener.ticks == 0


def test_what_is_no_replay_log_is_refused_with_a_hint(tmp_path: Path) -> None:
    log = tmp_path / "call.csv"
    with pytest.raises(NotFoundError, match=r"call\.replay\.jsonl"):
        replay(log, {})
    (tmp_path / "call.replay.jsonl").write_text('{"is":"tick"}\n')
    with pytest.raises(UsageError, match="no replay log"):
        replay(log, {})
    (tmp_path / "call.replay.jsonl").write_text(
        '{"is":"head","version":99,"call":"c","opus":"","settings":{},"wall_offset_s":0}\n'
    )
    with pytest.raises(UsageError, match="version 99"):
        replay(log, {})


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    with logged_call(tmp_path) as call:
        call.pass_time(0.1)
    with pytest.raises(StateError, match="exists"):
        replay(call.log, {}, tmp_path)
