"""What is handed out: a source distribution made of the checkout, a wheel made of that, and the program that is installed from the wheel.

The environment is a new one. Packages that the program needs are found where they were installed for the tests, so that no network is needed; the program itself is not.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

import blink_cli

pytestmark = pytest.mark.no_clock(sockets=True)

ROOT = Path(__file__).parents[2]
VERSION = blink_cli.__version__
BESIDE = {"LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "docs/man/blink.1"}
MADE = {"PKG-INFO", "setup.cfg"}


@dataclass(frozen=True)
class Packages:
    """Both, and what the checkout has of the program."""

    source: Path
    wheel: Path
    program: set[str]


def tracked() -> list[str]:
    """Every file of the checkout that is no leftover of a build."""
    told = subprocess.run(
        [
            "git",
            "-c",
            f"safe.directory={ROOT}",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return [name for name in os.fsdecode(told.stdout).split("\0") if name and (ROOT / name).is_file()]


def build(kind: str, folder: Path, out: Path) -> Path:
    """As pip and `python -m build` do, but with the setuptools that is here."""
    script = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(out)!r}))"
    made = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    return out / made.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    work = tmp_path_factory.mktemp("packages")
    checkout = work / "checkout"
    names = tracked()
    for name in names:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, checkout / name)
    source = build("sdist", checkout, work)
    with tarfile.open(source) as files:
        files.extractall(work / "source", filter="data")
    (unpacked,) = (work / "source").iterdir()
    return Packages(
        source, build("wheel", unpacked, work), {name for name in names if name.startswith("blink_cli/")}
    )


@pytest.fixture(scope="module")
def installed(packages: Packages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment in which the wheel was installed."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True, with_pip=False)
    (site,) = folder.glob("lib/python*/site-packages")
    # What the program needs; not the program, since files that end in .pth are not read there.
    (site / "needed.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n", encoding="utf-8")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", folder / "bin" / "python"),
            *(
                "install",
                "--quiet",
                "--no-deps",
                "--no-index",
                "--no-compile",
                "--ignore-installed",
                packages.wheel,
            ),
        ],
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        check=True,
    )
    return folder


def run(installed: Path, *words: str) -> str:
    """What `blink` prints, started as users do and far from the checkout."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BLINK_"))}
    ended = subprocess.run(
        [installed / "bin" / "blink", *words],
        cwd=installed,
        env={**clean, "BLINK_DATA_DIR": str(installed / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_source_distribution_has_what_a_wheel_is_made_of_and_no_more(packages: Packages) -> None:
    with tarfile.open(packages.source) as files:
        names = {PurePosixPath(one.name).relative_to(f"blink_cli-{VERSION}") for one in files if one.isfile()}
    shown = {str(name) for name in names if name.parts[0] != "blink_cli.egg-info"}
    assert shown == packages.program | BESIDE | MADE


def test_the_wheel_has_the_program_and_no_more(packages: Packages) -> None:
    with zipfile.ZipFile(packages.wheel) as files:
        names = set(files.namelist())
        metadata = files.read(f"blink_cli-{VERSION}.dist-info/METADATA").decode()
    about = {name for name in names if name.startswith(f"blink_cli-{VERSION}.dist-info/")}
    manual = f"blink_cli-{VERSION}.data/data/share/man/man1/blink.1"
    assert names - about == packages.program | {manual}
    assert "blink_cli/py.typed" in names
    assert "\nLicense-Expression: MIT\n" in metadata
    assert "\nRequires-Python: >=3.11\n" in metadata


def test_what_was_installed_runs(installed: Path) -> None:
    assert run(installed, "--version") == f"{VERSION}\n"
    assert "offer" in run(installed, "--help")
    assert "two-clean" in run(installed, "lab", "list")
    assert (installed / "share" / "man" / "man1" / "blink.1").is_file()
    where = subprocess.run(
        [installed / "bin" / "python", "-I", "-c", "import blink_cli; print(blink_cli.__file__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(installed)


def test_its_laboratory_finds_its_scenarios_and_its_speech(installed: Path) -> None:
    assert "1 case, 1 passed" in run(installed, "lab", "run", "two-clean")
