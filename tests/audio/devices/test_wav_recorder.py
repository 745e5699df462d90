import os
import signal
import subprocess
import sys
import threading
import time
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blink_cli.audio.devices import wav_recorder
from blink_cli.audio.devices.wav_recorder import WavRecorder
from blink_cli.audio.samples import Samples
from blink_cli.core.errors import DeviceError

pytestmark = pytest.mark.real_time


def voice(count: int, seed: int = 1) -> Samples:
    return np.random.default_rng(seed).uniform(-0.9, 0.9, count).astype(np.float32)


def hear(recorder: WavRecorder, samples: Samples) -> None:
    for start in range(0, len(samples), 480):
        recorder.hear(samples[start : start + 480])


def test_what_is_heard_is_written(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    recorder = WavRecorder(path)
    recorder.begin()
    samples = voice(48_000)
    hear(recorder, samples)
    recorder.end()
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth(), file.getnframes()) == (
            48_000,
            1,
            2,
            48_000,
        )
    written, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_allclose(written, samples, atol=2 / 32767)


def test_loud_samples_are_cut_at_full_scale(tmp_path: Path) -> None:
    recorder = WavRecorder(tmp_path / "out.wav")
    recorder.begin()
    recorder.hear(np.array([2.0, -2.0], dtype=np.float32))
    recorder.end()
    written, _ = soundfile.read(tmp_path / "out.wav", dtype="int16")
    assert written.tolist() == [32767, -32767]


def test_a_file_without_sound_is_valid(tmp_path: Path) -> None:
    recorder = WavRecorder(tmp_path / "out.wav")
    recorder.begin()
    recorder.end()
    assert soundfile.info(tmp_path / "out.wav").frames == 0


def test_the_next_call_continues_the_file_and_the_next_session_replaces_it(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    recorder = WavRecorder(path)
    first, second = voice(4800, 1), voice(4800, 2)
    for part in (first, second):
        recorder.begin()
        hear(recorder, part)
        recorder.end()
    assert recorder.heard_before == 4800
    written, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_allclose(written, np.concatenate((first, second)), atol=2 / 32767)

    recorder.begin()
    assert recorder.heard_before == 9600
    recorder.end()
    next_session = WavRecorder(path)
    assert soundfile.info(path).frames == 9600
    next_session.begin()
    next_session.end()
    assert soundfile.info(path).frames == 0


def test_a_file_has_one_writer(tmp_path: Path) -> None:
    recorder = WavRecorder(tmp_path / "out.wav")
    recorder.begin()
    with pytest.raises(DeviceError, match="being written already"):
        recorder.begin()
    hear(recorder, voice(480))
    recorder.end()
    assert soundfile.info(tmp_path / "out.wav").frames == 480


def test_naming_a_file_makes_none(tmp_path: Path) -> None:
    WavRecorder(tmp_path / "out.wav")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_cleared_away_between_calls_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    recorder = WavRecorder(path)
    for _ in range(2):
        recorder.begin()
        recorder.end()
        path.unlink()
    recorder.begin()
    hear(recorder, voice(480))
    recorder.end()
    assert soundfile.info(path).frames == 480


def test_missed_time_is_silence(tmp_path: Path) -> None:
    recorder = WavRecorder(tmp_path / "out.wav")
    recorder.begin()
    recorder.hear(np.full(480, 0.5, dtype=np.float32))
    recorder.hear_nothing(100_000)
    recorder.hear(np.full(480, 0.5, dtype=np.float32))
    recorder.hear_nothing(1000)
    recorder.end()
    written, _ = soundfile.read(tmp_path / "out.wav")
    assert len(written) == 480 + 100_000 + 480 + 1000
    assert np.flatnonzero(np.diff(written)).tolist() == [479, 100_479, 100_959]


def test_a_slow_disk_costs_blocks_that_are_counted_and_keep_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wav_recorder, "WRITE_EVERY_S", 60.0)
    recorder = WavRecorder(tmp_path / "out.wav")
    recorder.begin()
    total = wav_recorder.QUEUE_BLOCKS + 50
    hear(recorder, np.full(total * 480, 0.5, dtype=np.float32))
    recorder.end()
    assert recorder.dropped_samples == 50 * 480
    written, _ = soundfile.read(tmp_path / "out.wav")
    assert len(written) == total * 480
    assert not written[-50 * 480 :].any()


def test_a_full_disk_is_told_and_does_not_hold_up_the_playout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    path = tmp_path / "out.wav"
    recorder = WavRecorder(path)
    recorder.begin()
    recorder.end()
    monkeypatch.setattr(wav_recorder, "open_again", lambda _path, _made: os.open(full, os.O_RDWR))
    recorder.begin()
    hear(recorder, voice(48_000))
    deadline_s = time.monotonic() + 5
    while recorder.failure is None and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert recorder.failure is not None
    assert "No space left" in recorder.failure
    hear(recorder, voice(48_000))
    recorder.end()


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path / "missing" / "out.wav", tmp_path):
        with pytest.raises(DeviceError, match="cannot be written") as caught:
            WavRecorder(place)
        assert caught.value.hint


def test_after_a_kill_the_file_is_readable_and_lacks_little(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    program = f"""
import sys, time
from pathlib import Path
import numpy as np
from blink_cli.audio.devices.wav_recorder import WavRecorder
recorder = WavRecorder(Path({str(path)!r}))
recorder.begin()
block = np.full(480, 0.5, dtype=np.float32)
for tick in range(100_000):
    recorder.hear(block)
    print(tick, flush=True)
    time.sleep(0.01)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        heard = 0
        while heard < 60:
            heard = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        heard = int((process.stdout.read().split() or [str(heard)])[-1])
    with wave.open(str(path)) as file:
        assert file.getnframes() >= (heard - 40) * 480
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    assert len(samples) == file.getnframes()
    assert (samples == 16384).all() or (samples == 16383).all()


def test_hearing_never_waits_for_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holding = threading.Event()
    append = WavRecorder._append

    def slow(self: WavRecorder, *arguments: object) -> None:
        holding.wait(10)
        append(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(WavRecorder, "_append", slow)
    recorder = WavRecorder(tmp_path / "out.wav")
    recorder.begin()
    hear(recorder, voice(48_000))
    start_s = time.monotonic()
    hear(recorder, voice(48_000))
    assert time.monotonic() - start_s < 1.0
    holding.set()
    recorder.end()
    assert soundfile.info(tmp_path / "out.wav").frames == 96_000


def test_what_is_no_ordinary_file_is_refused() -> None:
    with pytest.raises(DeviceError, match="not an ordinary file"):
        WavRecorder(Path("/dev/null"))
