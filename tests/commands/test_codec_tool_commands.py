"""The codec tool's commands as people and scripts use them."""

from pathlib import Path

import pytest
import soundfile

from blink_cli.commands.program import entry_point
from tests.codec.round_trips import heard_in, speech
from tests.commands.conftest import Here, Shell

pytestmark = pytest.mark.no_clock(sockets=True)

TOOL = ("roundtrip", "ogg", "mp4", "decode", "loudness", "info", "feedback", "record", "play")


@pytest.fixture(scope="module")
def voice_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return speech(tmp_path_factory.mktemp("speech") / "voice.wav", 2.0)


@pytest.mark.parametrize("name", TOOL)
def test_help_shows_an_example(name: str) -> None:
    command = entry_point().commands["codec"].commands[name]
    assert f"blink codec {name}" in " ".join(command.help.split())


def test_a_round_trip_is_told_in_lines_and_as_a_document(
    shell: Shell, here: Here, voice_file: Path, tmp_path: Path
) -> None:
    words = ("codec", "roundtrip", str(voice_file), str(tmp_path / "out.wav"))
    ran = here(shell, *words, "--loss", "10%", "--fec", "--score", "none")
    assert ran.exit_code == 0
    assert [line.split()[0] for line in ran.stdout.splitlines()] == [
        "in", "codec", "line", "packets", "bit", "lost", "delay", "quality", "out",
    ]  # fmt: skip
    assert "SNR" in ran.stdout
    told = here(shell, "--json", *words, "--redundancy", "1", "--score", "pesq").json
    assert (told["schema"], told["path"], told["redundancy"]) == (1, "rtp", "1")
    assert told["quality"]["pesq_wb"] > 4
    assert told["quality"]["missing"] == []
    assert told["bitrate"]["with_copies_bps"] > 1.7 * told["bitrate"]["mean_bps"]


def test_files_of_packets_go_there_and_back(
    shell: Shell, here: Here, voice_file: Path, tmp_path: Path
) -> None:
    ogg, mp4, wav = (str(tmp_path / name) for name in ("a.opus", "a.mp4", "a.wav"))
    assert (
        here(shell, "codec", "ogg", str(voice_file), ogg, "--json").json["coding"]["application"] == "audio"
    )
    assert here(shell, "codec", "mp4", ogg, mp4, "--copy", "--json").json["coding"] is None
    done = here(shell, "codec", "decode", mp4, wav, "--decode-rate", "16000", "--json").json
    assert done["output"]["duration_s"] == 2.0
    assert soundfile.info(wav).samplerate == 16_000
    assert here(shell, "codec", "mp4", ogg, ogg).exit_code == 2


def test_a_chart_is_as_wide_as_asked_for(shell: Shell, here: Here, voice_file: Path) -> None:
    ran = here(shell, "codec", "loudness", str(voice_file), "--width", "50")
    chart = [line for line in ran.stdout.splitlines() if "|" in line or "+-" in line]
    assert len(chart) == 13
    assert max(map(len, chart)) == 50
    assert "integrated -2" in ran.stdout
    plain = here(shell, "codec", "loudness", str(voice_file), "--no-chart", "--method", "rms")
    assert len(plain.stdout.splitlines()) == 2


def test_samples_without_a_header_need_their_form(
    shell: Shell, here: Here, voice_file: Path, tmp_path: Path
) -> None:
    raw = tmp_path / "in.raw"
    raw.write_bytes(heard_in(voice_file).astype("<f4").tobytes())
    words = ("codec", "roundtrip", str(raw), str(tmp_path / "out.wav"), "--score", "none", "--json")
    refused = here(shell, *words)
    assert refused.exit_code == 2
    assert "--raw-rate" in refused.json["error"]["hint"]
    assert here(shell, *words, "--raw-rate", "24000").json["input"]["duration_s"] == 4.0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--bitrate", "100"), 2, "bit rate of 100"),
        (("--frame-ms", "30"), 2, "30 ms"),
        (("--bandwidth", "huge"), 2, "huge"),
        (("--channels", "3"), 2, "3 channels"),
        (("--loss", "lots"), 2, "no share"),
        (("--encode-rate", "44100"), 2, "44100 Hz"),
        (("--redundancy", "5"), 2, "redundancy of 5"),
        (("--sample-format", "u8"), 2, "u8"),
        (("--score", "mos"), 2, "mos"),
        (("--cbr", "--dtx"), 2, "constant bit rate"),
    ],
)
def test_a_wrong_option_is_said_and_nothing_is_written(
    shell: Shell, here: Here, voice_file: Path, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    out = tmp_path / "out.wav"
    ran = here(shell, "codec", "roundtrip", str(voice_file), str(out), *words, "--json")
    assert ran.exit_code == code
    assert said in ran.json["error"]["message"]
    assert ran.json["error"]["hint"]
    assert not out.exists()


def test_what_opus_can_be_asked_for(shell: Shell, here: Here) -> None:
    told = here(shell, "codec", "info", "--json").json
    assert told["rates_hz"] == [8_000, 12_000, 16_000, 24_000, 48_000]
    assert {one["frame_ms"]: one["samples"]["12000"] for one in told["frames"]}[2.5] == 30
    assert {one["name"] for one in told["extras"]} == {"lab", "visqol", "plot"}
    assert "libopus" in here(shell, "codec", "info").stdout
