"""Which libopus is used: the one that can do most, by trying; what does not work is passed over and said."""

import ctypes.util
import functools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from blink_cli.audio.opus import choice, library
from blink_cli.audio.opus.abilities import numbers_of
from blink_cli.audio.opus.choice import choose
from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.audio.opus.encoder import OpusEncoder
from blink_cli.audio.opus.installed import Installed, Origin, installed
from blink_cli.core.errors import DeviceError
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.lab.requirements import require_program

pytestmark = pytest.mark.no_clock(sockets=True)


@functools.cache
def real() -> str:
    """The copy in PyAV's wheel, or the system's."""
    return choose().used.path


@pytest.fixture(scope="module")
def shims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where they are made."""
    return tmp_path_factory.mktemp("shims")


def shim(folder: Path, *words: str) -> str:
    """A copy that differs in this: see shim_libopus.c."""
    gcc = require_program("gcc", debian_package="gcc")
    out = folder / ("-".join(word.replace('"', "").replace(" ", "") for word in words) + ".so")
    if not out.exists():
        source = Path(__file__).with_name("shim_libopus.c")
        defined = [f"-D{word}" for word in (f'REAL="{real()}"', *words)]
        subprocess.run(
            [gcc, "-shared", "-fPIC", "-w", *defined, str(source), "-o", str(out), "-ldl"], check=True
        )
    return str(out)


def here(monkeypatch: pytest.MonkeyPatch, *copies: tuple[Origin, str]) -> None:
    """Let this machine have these copies and no others."""
    monkeypatch.delenv("BLINK_LIBOPUS", raising=False)
    monkeypatch.setattr(choice, "installed", lambda: iter(Installed(origin, name) for origin, name in copies))


NEWER = 'VERSION="libopus 9.0"'


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (("DEEP",), ("DRED", "ENHANCES", NEWER)),
        (("DEEP", "DRED"), ("DEEP", "ENHANCES", NEWER)),
        (("DEEP", "ENHANCES"), ("DEEP", NEWER)),
        (("DRED",), ("ENHANCES", NEWER)),
        ((NEWER,), ('VERSION="libopus 8.10.1-git"',)),
        (('VERSION="libopus 1.10"',), ('VERSION="libopus 1.9.2"',)),
        (('VERSION="libopus 1.3"',), ('VERSION="libopus unknown"',)),
    ],
    ids=" ".join,
)
def test_the_copy_that_can_do_most_is_used(
    shims: Path, monkeypatch: pytest.MonkeyPatch, better: tuple[str, ...], worse: tuple[str, ...]
) -> None:
    good, bad = shim(shims, *better), shim(shims, *worse)
    for order in ((good, bad), (bad, good)):
        here(monkeypatch, ("pyav", order[0]), ("system", order[1]))
        found = choose()
        can = found.used.abilities
        assert found.used.path == good
        assert [one.path for one in found.others] == [bad]
        assert (can.deep_plc, can.dred, can.osce) == (
            "DEEP" in better,
            "DRED" in better,
            "ENHANCES" in better,
        )
        assert found.passed_over == ()


def test_of_equal_copies_the_first_is_used_and_one_file_is_one_copy(
    shims: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one, other = shim(shims, "DEEP"), shim(shims, "DEEP", "SIZE=140000")
    link = tmp_path / "libopus.so.0"
    link.symlink_to(one)
    here(monkeypatch, ("pyav", str(link)), ("system", other), ("pyogg", one))
    found = choose()
    assert (found.used.origin, found.used.path) == ("pyav", one)
    assert [copy.path for copy in found.others] == [other]


def test_what_does_not_work_is_passed_over_with_a_reason(
    shims: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = tmp_path / "libopus.so"
    text.write_text("no library")
    copies = {
        str(text): "it cannot be loaded: ",
        str(tmp_path / "none.so"): "it cannot be loaded: ",
        shim(shims, "DEEP", "LACKS"): "it cannot be loaded: ",
        shim(shims, "DEEP", 'VERSION="libopus 1.2.1"'): "it is libopus 1.2.1, older than 1.3",
        shim(shims, "DEEP", "MUTE"): "it does not decode what it has encoded",
    }
    here(monkeypatch, *(("system", path) for path in copies), ("pyav", real()))
    found = choose()
    assert found.used.path == real()
    assert [one.path for one in found.passed_over] == list(copies)
    for one in found.passed_over:
        assert one.reason.startswith(copies[one.path]), one

    here(monkeypatch, *(("system", path) for path in copies))
    with pytest.raises(DeviceError, match=r"No usable Opus library .*older than 1\.3") as told:
        choose()
    assert "Install libopus" in (told.value.hint or "")


def test_another_copy_can_be_named(shims: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = shim(shims, "DEEP")
    here(monkeypatch, ("system", deep), ("pyav", real()))
    assert choose().used.path == deep
    for named, path in (("pyav", real()), ("system", deep), (real(), real())):
        monkeypatch.setenv("BLINK_LIBOPUS", named)
        assert choose().used.path == path
    old = shim(shims, 'VERSION="libopus 1.1"')
    for named, said in (
        ("pyogg", "there is none"),
        (old, "older than 1.3"),
        ("nonsense", "cannot be loaded"),
    ):
        monkeypatch.setenv("BLINK_LIBOPUS", named)
        with pytest.raises(DeviceError, match=said) as told:
            choose()
        assert "BLINK_LIBOPUS" in told.value.message
        assert "pyav, system, pyogg" in (told.value.hint or "")


@pytest.mark.parametrize(
    "words", [("DEEP", "DRED", "ENHANCES"), ('VERSION="libopus unknown"',)], ids=" ".join
)
def test_the_chosen_copy_is_the_one_that_codes(
    shims: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    copies: list[tuple[Origin, str]] = [("system", shim(shims, *words))]
    if "DEEP" in words:
        copies.append(("pyav", real()))
    here(monkeypatch, *copies)
    for cached in (library.used_library, library.decode_float):
        cached.cache_clear()
    try:
        encoder, decoder = OpusEncoder(CodecSettings()), OpusDecoder()
        assert library.used_library().used.path == shim(shims, *words)
        noise = np.random.default_rng(1).standard_normal((5, 960)).astype(np.float32) * 0.1
        assert np.abs([decoder.decode(encoder.encode(frame)) for frame in noise]).max() > 0.01
    finally:
        for cached in (library.used_library, library.decode_float):
            cached.cache_clear()


def test_pyogg_finds_the_systems_copy_and_changes_nothing_else() -> None:
    code = (
        "import os, sys; before = dict(os.environ)\n"
        "from blink_cli.audio.opus.installed import installed\n"
        "found = [one.name for one in installed() if one.origin == 'system']\n"
        "assert dict(os.environ) == before, 'the environment was changed'\n"
        "print(found, sorted({'av', 'pyogg'} & set(sys.modules)))"
    )
    for environment in (os.environ, {name: value for name, value in os.environ.items() if name != "PATH"}):
        ran = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        name = ctypes.util.find_library("opus")
        assert ran.stdout == f"{[] if name is None else [name]} []\n"


def test_every_copy_on_this_machine_has_a_file_and_a_version() -> None:
    found = choose()
    assert {one.origin for one in installed()} >= {found.used.origin}
    for one in (found.used, *found.others):
        assert Path(one.path).is_file()
        assert numbers_of(one.abilities.version)
