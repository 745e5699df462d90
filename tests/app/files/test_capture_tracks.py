"""Tracks of foreign captures: what was said, and where it was said; and why there are none."""

import random
import stat
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blink_cli.app.files import capture_tracks
from blink_cli.app.files.capture_files import analyse_capture
from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.core.audio_format import PRE_SKIP_SAMPLES
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.media import red
from tests.record.capture.parts import START_NS, Sending, pcap, stream
from tests.record.simulated_call import spoken

pytestmark = pytest.mark.no_clock


def redundant(number: int) -> bytes:
    """A frame and the two before it, in another's payload types."""
    timestamp = number * 960
    copies = [(timestamp - 960 * age, spoken()[(number - age) % 150]) for age in (2, 1) if number >= age]
    return red.pack(spoken()[number % 150], timestamp, copies, 96)


def said() -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    decoder = OpusDecoder()
    return np.concatenate([decoder.decode(spoken()[number % 150]).reshape(-1) for number in range(300)])


@pytest.mark.parametrize(
    "sending",
    [
        Sending(payload_type=97),
        Sending(payload_type=63, payload=redundant, loss=0.05, burst=2, late=0.05, copies=0.05),
    ],
)
def test_a_track_holds_what_was_said(sending: Sending, tmp_path: Path) -> None:
    packets = stream(3, sending)
    found = analyse_capture(pcap(tmp_path / "call.pcap", packets), {}, tracks_to=tmp_path / "tracks")
    (one,) = found.streams
    assert one.track is not None
    assert [Path(file).suffix for file in found.tracks] == [".mp4", ".json", ".wav", ".opus"]
    assert all(stat.S_IMODE(Path(file).stat().st_mode) == 0o600 for file in found.tracks)
    sound, rate_hz = soundfile.read(one.track, dtype="float32")
    assert rate_hz == 48_000
    first_s = (packets[0][0] - START_NS) / 1e9
    assert len(sound) / 48_000 == pytest.approx(6.0 - first_s + 0.1, abs=0.15)
    truth = said()
    click = int(np.argmax(np.abs(truth)))
    place = int(np.argmax(np.abs(sound[: 48_000 * 3])))
    shift = click - PRE_SKIP_SAMPLES - place
    assert abs(shift / 48_000 - first_s) < 0.03  # it stands where it came, to a frame
    start = click - PRE_SKIP_SAMPLES - place
    length = 5 * 48_000
    assert (
        np.abs(sound[9_600:length] - truth[9_600 + start + PRE_SKIP_SAMPLES :][: length - 9_600]).max() < 0.01
    )


def test_streams_of_two_lie_on_each_other(tmp_path: Path) -> None:
    second = [(at_ns + 400_000_000, packet) for at_ns, packet in stream(2, Sending(ssrc=0x777, port=4002))]
    packets = sorted(
        [
            *stream(1),
            *second,
            *stream(4, Sending(ssrc=5, payload=lambda number: random.Random(number).randbytes(90))),
        ]
    )
    found = analyse_capture(pcap(tmp_path / "call.pcap", packets), {}, tracks_to=tmp_path)
    tracks = {one.ssrc: one.track for one in found.streams}
    clicks = []
    for ssrc in (0x1234, 0x777):
        track = tracks[ssrc]
        assert track is not None
        sound, _ = soundfile.read(track, dtype="float32")
        clicks.append(int(np.argmax(np.abs(sound[: 48_000 * 3]))))
    assert clicks[1] - clicks[0] == pytest.approx(0.4 * 48_000, abs=480)


def test_what_is_encrypted_is_refused_with_what_to_do(tmp_path: Path) -> None:
    lots = Sending(payload=lambda number: random.Random(number).randbytes(90))
    with pytest.raises(UsageError, match=r"1 of its 1 streams look encrypted \(SRTP\)") as refused:
        analyse_capture(pcap(tmp_path / "call.pcap", stream(1, lots)), {}, tracks_to=tmp_path / "t")
    assert refused.value.hint is not None
    assert "--payload" in refused.value.hint
    assert not (tmp_path / "t").exists()


def test_a_capture_that_claims_days_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packets = stream(1)
    packets[-1] = (packets[-1][0] + 86_400 * 30 * 10**9, packets[-1][1])
    with pytest.raises(UsageError, match="720 hours"):
        analyse_capture(pcap(tmp_path / "call.pcap", packets), {}, tracks_to=tmp_path / "t")
    monkeypatch.setattr(capture_tracks, "MOST_TRACKS", 0)
    with pytest.raises(UsageError, match="0 become tracks"):
        analyse_capture(pcap(tmp_path / "call.pcap", stream(1)), {}, tracks_to=tmp_path / "t")


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("mine")
    with pytest.raises(BlinkError, match="cannot be written"):
        analyse_capture(pcap(tmp_path / "call.pcap", stream(1)), {}, tracks_to=tmp_path / "t")
    assert (tmp_path / "t").read_text() == "mine"
