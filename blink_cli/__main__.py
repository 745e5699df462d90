"""`python -m blink_cli` and the `blink` script."""

import sys


def main() -> None:
    """Run the command line of this process, and end it with its exit code."""
    from blink_cli.commands.standard_streams import fill_standard_streams  # noqa: PLC0415 - nothing is loaded for those who only import this

    fill_standard_streams()
    from blink_cli.runtime.garbage import collect_seldom  # noqa: PLC0415 - as above

    collect_seldom()
    from blink_cli.commands.main import main as run  # noqa: PLC0415 - as above

    code = run()
    if "sounddevice" in sys.modules:
        # It ends PortAudio when the interpreter ends, and PortAudio may wait for a device that does not answer any more.
        from blink_cli.commands.last_resort import end_in_time  # noqa: PLC0415 - as above

        end_in_time(lambda: code)
    sys.exit(code)


if __name__ == "__main__":
    main()
