"""The scenarios that come with the program."""

from pathlib import Path
from typing import Final

from blink_cli.core.errors import NotFoundError
from blink_cli.lab.scenario.reading import Source, read_source

FOLDER: Final = Path(__file__).parents[1] / "scenarios"
ENDING: Final = ".toml"


def shipped() -> list[str]:
    """Return their names, sorted."""
    return sorted(path.stem for path in FOLDER.glob(f"*{ENDING}"))


def find(name: str) -> Source:
    """Return the scenario that a word on the command line means: one of these by its name, or a file by its path.

    Raises:
        NotFoundError: There is none.
        UsageError: It cannot be read.

    """
    if name in shipped():
        return read_source(FOLDER / f"{name}{ENDING}")
    if not name.endswith(ENDING) and not Path(name).exists():
        raise NotFoundError(
            f"There is no scenario {name!r}.",
            hint=f"Name a file that ends in {ENDING}, or one of {', '.join(shipped())}.",
        )
    return read_source(Path(name))
