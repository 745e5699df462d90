"""Files of Opus packets, as other programs see them."""

import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from blink_cli.audio.samples import Samples
from blink_cli.codec.figures import PacketsWritten
from blink_cli.codec.options import CoderOptions, HeardForm, Source
from blink_cli.codec.packet_files import copy_packets, decode_file, encode_file
from blink_cli.core.errors import NotFoundError, UsageError
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.lab.requirements import require_program
from tests.codec.round_trips import heard_in, speech

pytestmark = pytest.mark.no_clock(sockets=True)  # as test_roundtrip


@pytest.fixture(scope="module")
def voice_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return speech(tmp_path_factory.mktemp("speech") / "voice.wav", 3.01)


def encoded(source: Path, out: Path, channels: int | None = None, **settings: Any) -> PacketsWritten:
    chosen: dict[str, Any] = {"bitrate_bps": 64_000, "fec": "off"} | settings
    codec = CodecSettings(**chosen)
    return encode_file(Source(source), out, CoderOptions(settings=codec, channels=channels), lambda _: None)


def decoded(source: Path, out: Path, rate_hz: int = 48_000, channels: int | None = None) -> Samples:
    decode_file(source, out, HeardForm(rate_hz=rate_hz, channels=channels), lambda _: None)
    return heard_in(out)


def by_ffmpeg(path: Path) -> Samples:
    """What FFmpeg plays, shape (n, channels)."""
    out = path.with_suffix(".ffmpeg.wav")
    ffmpeg = require_program("ffmpeg")
    subprocess.run(
        [ffmpeg, "-y", "-v", "error", "-xerror", "-c:a", "libopus", "-i", str(path), str(out)], check=True
    )
    return heard_in(out)


def late_samples(sent: Samples, heard: Samples) -> int:
    """By how much one stands later than the other."""
    spectrum = np.fft.rfft(heard[:, 0], 1 << 19) * np.conj(np.fft.rfft(sent[:, 0], 1 << 19))
    at = int(np.argmax(np.fft.irfft(spectrum)))
    return at if at < 1 << 18 else at - (1 << 19)


@pytest.mark.parametrize("application", ["audio", "lowdelay"])
@pytest.mark.parametrize("ending", ["opus", "mp4"])
@pytest.mark.parametrize("channels", [1, 2])
def test_ffmpeg_plays_it_in_its_place(
    voice_file: Path, tmp_path: Path, ending: str, channels: int, application: str
) -> None:
    out = tmp_path / f"out.{ending}"
    done = encoded(voice_file, out, channels, application=application)
    assert done.pre_skip_samples == (120 if application == "lowdelay" else 312)
    assert done.output.duration_s == 3.01
    sent, theirs, ours = heard_in(voice_file), by_ffmpeg(out), decoded(out, tmp_path / "ours.wav")
    assert theirs.shape[1] == ours.shape[1] == channels
    assert len(ours) == len(sent)
    # FFmpeg 5 does not leave out the end of an MP4, which is a part of the last packet.
    assert 0 <= len(theirs) - len(sent) <= (0 if ending == "opus" else 960)
    assert abs(late_samples(sent, theirs)) <= 1
    assert np.allclose(theirs[: len(sent)], ours, atol=2e-4)


def test_opusinfo_finds_nothing_wrong(voice_file: Path, tmp_path: Path) -> None:
    encoded(voice_file, tmp_path / "out.opus", 2, frame_ms=60, dtx=True)
    opusinfo = require_program("opusinfo", debian_package="opus-tools")
    told = subprocess.run([opusinfo, str(tmp_path / "out.opus")], capture_output=True, text=True, check=True)
    assert not re.search("warning|error|invalid", told.stdout + told.stderr, re.IGNORECASE), told.stdout
    assert "Channels: 2" in told.stdout
    assert "Pre-skip: 312" in told.stdout
    assert "Packet duration:   60.0ms (max)" in told.stdout
    assert re.search(r"Playback length: 0m:03\.0(09|10)s", told.stdout)  # it cuts digits off


def test_packets_are_copied_from_one_container_into_another(voice_file: Path, tmp_path: Path) -> None:
    first, second, third = tmp_path / "a.opus", tmp_path / "b.mp4", tmp_path / "c.ogg"
    written = encoded(voice_file, first)
    assert copy_packets(first, second, lambda _: None).packets == written.packets
    copied = copy_packets(second, third, lambda _: None)
    assert (copied.coding, copied.output.duration_s) == (None, 3.01)
    once, again = decoded(first, tmp_path / "once.wav"), decoded(third, tmp_path / "again.wav")
    assert np.array_equal(once, again)


def test_a_long_pre_skip_of_another_program_is_kept(voice_file: Path, tmp_path: Path) -> None:
    opusenc = require_program("opusenc", debian_package="opus-tools")
    soundfile.write(tmp_path / "in.wav", heard_in(voice_file)[:, 0], 48_000)
    theirs = tmp_path / "theirs.opus"
    subprocess.run([opusenc, "--quiet", str(tmp_path / "in.wav"), str(theirs)], check=True)
    # A stream that was cut out of a longer one has such a start: RFC 7845, section 4.6.
    page = bytearray(theirs.read_bytes())
    head = page.index(b"OpusHead")
    page[head + 10 : head + 12] = (3_840).to_bytes(2, "little")
    page[22:26] = bytes(4)
    page[22:26] = ogg_checksum(bytes(page[: head + 19])).to_bytes(4, "little")
    theirs.write_bytes(bytes(page))
    plain = decoded(theirs, tmp_path / "plain.wav")
    copy_packets(theirs, tmp_path / "copy.mp4", lambda _: None)
    copy_packets(tmp_path / "copy.mp4", tmp_path / "copy.opus", lambda _: None)
    assert np.array_equal(plain, decoded(tmp_path / "copy.mp4", tmp_path / "x.wav"))
    assert np.array_equal(plain, decoded(tmp_path / "copy.opus", tmp_path / "y.wav"))
    assert abs(late_samples(heard_in(voice_file)[3_840 - 312 :], plain)) <= 2


def ogg_checksum(page: bytes) -> int:
    """RFC 3533, section 6: polynomial 04c11db7, no reflection."""
    crc = 0
    for octet in page:
        crc ^= octet << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 2), (16_000, 1)])
def test_it_is_decoded_at_another_rate(voice_file: Path, tmp_path: Path, rate_hz: int, channels: int) -> None:
    encoded(voice_file, tmp_path / "in.mp4")
    heard = decoded(tmp_path / "in.mp4", tmp_path / "out.wav", rate_hz, channels)
    assert heard.shape == (round(3.01 * rate_hz), channels)


def test_webm_of_ffmpeg_is_decoded(voice_file: Path, tmp_path: Path) -> None:
    ffmpeg = require_program("ffmpeg")
    webm = tmp_path / "in.webm"
    subprocess.run([ffmpeg, "-v", "error", "-i", str(voice_file), "-c:a", "libopus", str(webm)], check=True)
    heard = decoded(webm, tmp_path / "out.wav")
    assert len(heard) / 48_000 == pytest.approx(3.01, abs=0.02)
    assert abs(late_samples(heard_in(voice_file), heard)) <= 12


def test_what_cannot_be_is_said_and_leaves_nothing(voice_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(UsageError, match="not Opus"):
        decoded(voice_file, out / "x.wav")
    with pytest.raises(UsageError, match="would hold sound"):
        encoded(voice_file, out / "x.wav")
    with pytest.raises(NotFoundError, match="There is no file"):
        decoded(tmp_path / "nowhere.opus", out / "x.wav")
    (tmp_path / "text.opus").write_text("no packets")
    with pytest.raises(UsageError, match="holds no packets"):
        decoded(tmp_path / "text.opus", out / "x.wav")
    encoded(voice_file, tmp_path / "whole.opus")
    with pytest.raises(UsageError, match="would hold packets"):
        decoded(tmp_path / "whole.opus", out / "x.mp4")
    assert list(out.iterdir()) == []
