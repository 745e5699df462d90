"""Which version of the program this is."""

from importlib.metadata import PackageNotFoundError, version


def program_version() -> str:
    """Return the installed distribution's version; "unknown" when the program runs from bare files."""
    try:
        return version("blink-cli")
    except PackageNotFoundError:
        return "unknown"
