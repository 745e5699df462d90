"""Paths in sentences and in names of files."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.api.device_name import FileDevice, WavDevice, parse_input_name, parse_output_name
from blink_cli.core.text.path_text import as_word, escaped, name_ending, readable, shown

PATHS = st.binary(min_size=1, max_size=60).filter(lambda name: b"\0" not in name).map(os.fsdecode)


@given(PATHS)
def test_what_is_shown_is_one_harmless_line(path: str) -> None:
    assert shown(path).isprintable()
    assert escaped(path).isprintable()
    if path.isprintable():
        assert shown(path) == path


def test_a_shell_reads_back_what_is_shown() -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    paths = [
        b"/tmp/d\xe9p",
        b"/a\nb\t\x1b[31m'\\'",
        b"/with space",
        "/é\N{RIGHT-TO-LEFT OVERRIDE}".encode(),
        b"/$HOME`x`",
    ]
    words = " ".join(as_word(os.fsdecode(path)) for path in paths)
    printed = subprocess.run(
        [bash, "-c", f"LC_ALL=C.UTF-8; printf '%s\\0' {words}"], capture_output=True, check=True
    ).stdout
    assert printed.split(b"\0")[:-1] == paths


@pytest.mark.parametrize("name", [b"x" * 255, b"\xe9" * 255, "é".encode() * 127, b"x" + "é".encode() * 127])
def test_a_name_beside_is_never_too_long(name: bytes, tmp_path: Path) -> None:
    place = tmp_path / name_ending(os.fsdecode(name), "-mix.flac")
    place.touch()
    assert place.parent == tmp_path
    assert place.name.endswith("-mix.flac")
    assert len(os.fsencode(place.name)) >= 254
    assert os.fsencode(place.name).startswith(name[:200])
    assert name_ending("call", ".pcap") == "call.pcap"


@given(PATHS.map(lambda path: f"/{path}"), st.booleans(), st.sampled_from([0.0, 150.0, -3.0]))
def test_a_device_that_is_a_file_comes_back_from_its_name(path: str, loop: bool, ppm: float) -> None:  # noqa: FBT001 - hypothesis gives it
    for tail in ("", "?loop=1", "?ppm=3", "?x=y", " ", "?"):
        device = FileDevice(path + tail, loop=loop, drift_ppm=ppm)
        assert parse_input_name(str(device)) == device
        written = WavDevice(path + tail, drift_ppm=ppm)
        assert parse_output_name(str(written)) == written


def test_text_is_what_others_read() -> None:
    assert readable("d\udce9p é") == "d\N{REPLACEMENT CHARACTER}p é"
