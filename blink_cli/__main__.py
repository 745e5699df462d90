"""`python -m blink_cli` and the `blink` script."""

import sys


def main() -> None:
    """Run the command line of this process, and end it with its exit code."""
    from blink_cli.commands.main import main as run  # noqa: PLC0415 - nothing is loaded for those who only import this

    sys.exit(run())


if __name__ == "__main__":
    main()
