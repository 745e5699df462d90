"""Through RTP: what a call's packets and playout buffer do to speech, in virtual time."""

from pathlib import Path

import pytest

from tests.codec.round_trips import speech, told

pytestmark = pytest.mark.no_clock(sockets=True)  # as test_roundtrip


@pytest.fixture(scope="module")
def voice_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return speech(tmp_path_factory.mktemp("speech") / "voice.wav", 6.0)


def test_a_clean_line_costs_a_frame_and_the_lookahead(voice_file: Path, tmp_path: Path) -> None:
    done = told(voice_file, tmp_path / "out.wav", through_rtp=True, scores=("pesq",))
    assert done.path == "rtp"
    assert done.packets.lost == 0
    assert done.packets.concealed_ms == 0
    assert done.quality.pesq_wb is not None
    assert done.quality.pesq_wb > 4.4
    assert done.delay.measured_ms is not None
    assert 26.5 <= done.delay.measured_ms < 100
    assert done.bitrate.with_copies_bps is not None
    # 12 bytes of header, and 4 of its extension with the level, on 50 packets a second, or a little more
    assert 6_000 < done.bitrate.with_copies_bps - done.bitrate.mean_bps < 12_000


def test_copies_mend_bursts(voice_file: Path, tmp_path: Path) -> None:
    none, one, two = (
        told(
            voice_file,
            tmp_path / "out.wav",
            through_rtp=True,
            loss=0.1,
            burst_packets=2,
            seed=3,
            redundancy=level,
            scores=("pesq",),
        )
        for level in ("0", "1", "2")
    )
    assert none.packets.lost == one.packets.lost == two.packets.lost > 20
    assert (none.packets.recovered_by_redundancy, none.redundancy) == (0, "0")
    assert 0 < one.packets.recovered_by_redundancy < two.packets.recovered_by_redundancy
    scores = [each.quality.pesq_wb for each in (none, one, two)]
    assert scores[0] is not None
    assert scores[1] is not None
    assert scores[2] is not None
    assert scores[0] + 0.3 < scores[1] < scores[2]
    sizes = [each.bitrate.with_copies_bps for each in (none, one, two)]
    assert sizes[0] is not None
    assert sizes[1] is not None
    assert sizes[2] is not None
    assert 1.5 < sizes[1] / sizes[0] < 2.2
    assert 2.2 < sizes[2] / sizes[0] < 3.2


def test_copies_follow_the_line_by_themselves(voice_file: Path, tmp_path: Path) -> None:
    clean, bad = (
        told(voice_file, tmp_path / "out.wav", through_rtp=True, loss=loss, redundancy="auto")
        for loss in (0.0, 0.15)
    )
    assert clean.bitrate.with_copies_bps is not None
    assert bad.bitrate.with_copies_bps is not None
    assert bad.bitrate.with_copies_bps > 2 * clean.bitrate.with_copies_bps
    assert bad.packets.recovered_by_redundancy > bad.packets.lost / 2


def test_jitter_costs_delay(voice_file: Path, tmp_path: Path) -> None:
    calm, rough = (
        told(voice_file, tmp_path / "out.wav", through_rtp=True, jitter_ms=jitter_ms, delay_ms=40)
        for jitter_ms in (0, 20)
    )
    assert calm.delay.measured_ms is not None
    assert rough.delay.measured_ms is not None
    assert calm.delay.measured_ms > 66
    assert rough.delay.measured_ms > calm.delay.measured_ms + 15


def test_fec_follows_the_reports(voice_file: Path, tmp_path: Path) -> None:
    done = told(voice_file, tmp_path / "out.wav", through_rtp=True, loss=0.1, fec="on")
    assert done.packets.recovered_by_fec > done.packets.lost / 4


def test_the_playout_comes_out_at_another_rate(voice_file: Path, tmp_path: Path) -> None:
    done = told(
        voice_file, tmp_path / "out.flac", through_rtp=True, decode_rate=16_000, decode_channels=2, loss=0.05
    )
    assert (done.output.rate_hz, done.output.channels, done.output.kind) == (16_000, 2, "FLAC")
    assert done.output.duration_s > done.input.duration_s


@pytest.mark.parametrize(
    ("frame_ms", "bitrate_bps", "channels"),
    [(2.5, 96_000, 1), (5, 64_000, 2), (60, 510_000, 1), (40, 32_000, 2)],
)
def test_frames_of_any_length_and_two_channels_pass(
    voice_file: Path, tmp_path: Path, frame_ms: float, bitrate_bps: int, channels: int
) -> None:
    done = told(
        voice_file,
        tmp_path / "out.wav",
        through_rtp=True,
        frame_ms=frame_ms,
        bitrate_bps=bitrate_bps,
        channels=channels,
        redundancy="1",
    )
    assert done.packets.sent == done.packets.encoded  # none was too long for a datagram
    assert done.packets.concealed_ms == 0
    assert done.output.level_dbfs == pytest.approx(done.input.level_dbfs, abs=0.6)
