"""From a file's text to a `ScenarioDocument`: a mistake is told with its line, its key, and what may stand there."""

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import inspect

from blink_cli.core.errors import NotFoundError, UsageError
from blink_cli.core.text.decoding_mistake import mistake_of
from blink_cli.core.text.path_text import shown
from blink_cli.files.reading import read_whole
from blink_cli.lab.scenario.document import ScenarioDocument
from blink_cli.lab.scenario.key_lines import line_of

MOST_BYTES: Final = 1 << 20
DOCS_HINT: Final = "`docs/lab.md` shows every key."

_PATH: Final = re.compile(r" - at `(?:key` in `)?(.*?)`$")


class Source:
    """A scenario's text and where it came from."""

    def __init__(self, name: str, folder: Path, text: str) -> None:
        """Keep it.

        Args:
            name: Of the scenario: the file's, without its ending.
            folder: Beside which its sound files and traces are looked for.
            text: TOML.

        """
        self.name = name
        self.folder = folder
        self.text = text

    def mistake(self, key: str, what: str, hint: str | None = None) -> UsageError:
        """Return the error for a key, such as `step[2].at`."""
        line = line_of(self.text, key)
        where = f"{self.name}.toml" + (f", line {line}" if line else "")
        return UsageError(f"{shown(where)}: {what}", hint=hint or DOCS_HINT)


def read_source(path: Path) -> Source:
    """Read a file.

    Raises:
        NotFoundError: There is none.
        UsageError: It cannot be read, or is no text.

    """
    try:
        text = read_whole(path, MOST_BYTES).decode()
    except FileNotFoundError:
        raise NotFoundError(
            f"There is no scenario {shown(path)}.",
            hint="`blink lab list` names those that come with the program.",
        ) from None
    except OSError as error:
        raise UsageError(f"{shown(path)} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown(path)} is not UTF-8.", hint=DOCS_HINT) from error
    return Source(path.stem, path.parent, text)


def document_of(source: Source) -> ScenarioDocument:
    """Read the text.

    Raises:
        UsageError: It is not TOML, or has a wrong or unknown key.

    """
    try:
        content = tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{source.name}.toml is not TOML: {error}.", hint=DOCS_HINT) from error
    try:
        return msgspec.convert(content, ScenarioDocument)
    except msgspec.ValidationError as error:
        raise _told(source, error) from error


def _told(source: Source, error: msgspec.ValidationError) -> UsageError:
    """Say it with its line, and with what may stand there."""
    mistake = mistake_of(error)
    path = _PATH.search(str(error))
    kind = _kind_at("" if path is None else path[1].removeprefix("$").removeprefix("."))
    if mistake.unknown_name is not None:
        known = [field.encode_name for field in getattr(kind, "fields", ())]
        close = difflib.get_close_matches(mistake.unknown_name, known, n=1)
        return source.mistake(
            mistake.place,
            f"`{mistake.place}` is no key.",
            f"`{close[0]}` is one." if close else f"There are {', '.join(known)}.",
        )
    possible = ", ".join(map(str, getattr(kind, "values", ())))
    sentence = mistake.sentence.replace("an object", "a table")  # as TOML calls it
    return source.mistake(mistake.place, f"{sentence}.", f"Choose {possible}." if possible else None)


def _kind_at(path: str) -> Any:
    """Return what may stand at a place of a document, as `msgspec.inspect` describes it."""
    kind: Any = inspect.type_info(ScenarioDocument)
    for name, within in re.findall(r"([^.\[\]]+)|\[(.*?)\]", path):
        kind = _one_kind(kind)
        if name:
            fields = {field.encode_name: field.type for field in getattr(kind, "fields", ())}
            kind = fields.get(name)
        elif within:
            kind = getattr(kind, "item_type", None) or getattr(kind, "value_type", None)
    return _one_kind(kind)


def _one_kind(kind: Any) -> Any:
    """Of several kinds, the one that says most: a table, or words to choose from."""
    if not isinstance(kind, inspect.UnionType):
        return kind
    telling = [one for one in kind.types if isinstance(one, inspect.StructType | inspect.LiteralType)]
    return telling[0] if telling else kind
