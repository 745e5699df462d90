"""Two versions of the program beside each other: this checkout and another revision, with the same interpreter and packages, both compiled."""

import os
import subprocess
import sysconfig
import tarfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PARTS: Final = ("blink_cli", "scripts", "tests")
"""Of a checkout: the program, and its benches with what they borrow from the tests."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """One version of the program, with a profile of its own."""

    name: str
    folder: Path
    environment: dict[str, str]
    python: Path

    def command(self, *words: str) -> list[str]:
        """Run it."""
        return [str(self.python), "-m", "blink_cli", *words]

    def bench_output(self, bench: str, *words: str) -> str:
        """Run the bench of that name that it has itself, and return what it prints.

        Raises:
            RuntimeError: It has no such bench, or that does not run.

        """
        ran = subprocess.run(
            [str(self.python), "-m", f"benches.{bench}", *words],
            env={**self.environment, "PYTHONPATH": f"{self.folder / 'scripts'}:{self.folder}"},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode != 0:
            raise RuntimeError(f"{self.name}: its bench {bench} does not run: {ran.stderr.strip()[-500:]}")
        return ran.stdout

    def environment_of(self, profile: Path) -> dict[str, str]:
        """For a session whose files are in this folder."""
        return {**self.environment, "BLINK_DATA_DIR": str(profile), "XDG_RUNTIME_DIR": str(profile)}


def interpreter(folder: Path) -> Path:
    """One whose packages are this one's; what the checkout has put into them as an editable install is not found by it, and costs nothing."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "packages.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n", "utf-8")
    return folder / "bin" / "python"


def checked_out(name: str, revision: str | None, work: Path, python: Path) -> Checkout:
    """Lay a revision into a folder of `work`, or this checkout if None, and compile it."""
    folder = work / name
    folder.mkdir()
    if revision is None:
        for part in PARTS:
            (folder / part).symlink_to(ROOT / part)
    else:
        archive = subprocess.Popen(["git", "archive", revision, *PARTS], cwd=ROOT, stdout=subprocess.PIPE)
        assert archive.stdout is not None  # a pipe was asked for
        with archive.stdout, tarfile.open(fileobj=archive.stdout, mode="r|") as files:
            files.extractall(folder, filter="data")
        if archive.wait() != 0:
            raise RuntimeError(f"git knows no {revision}")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BLINK_"))},
        "BLINK_DATA_DIR": str(work / f"{name}-data"),
        "XDG_RUNTIME_DIR": str(work),
        "PYTHONPATH": str(folder),
    }
    subprocess.run([python, "-m", "compileall", "-q", "blink_cli"], cwd=folder, env=environment, check=True)
    return Checkout(name, folder, environment, python)
