"""Runs the targets of targets.py under atheris, each in a process of its own: libFuzzer ends the one it runs in."""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

INSTRUMENTED = ["blink_cli", "aiortc.sdp"]
"""All modules would be 14,000 functions, and minutes before the first input."""

NAMES = (
    *("datagram", "envelope", "signal", "sdp", "rtp", "stun", "red", "rtcp", "loss_report", "opus"),
    *("control", "claim", "endpoint", "settings", "contacts", "key", "devices", "rtp_log", "capture"),
    *("boxes", "recording", "sidecar", "json_text", "path_text", "clock_answers", "greetings"),
    *("version_word", "channel_message"),
)

NO_ATHERIS = 3

LONGEST_S = 2
"""An input that takes longer is a finding."""

MOST_MB = 200
"""As is one that takes more memory …"""

OWN_MB = 250
"""… beside what the instrumented program itself takes, coverage and corpus included."""


def _fuzz_one(name: str, seconds: int, runs: int) -> None:
    import atheris  # noqa: PLC0415 - only where it is

    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.targets import TARGETS, seeds_of  # noqa: PLC0415 - instrumented while it is imported

    corpus = Path(tempfile.mkdtemp(prefix=f"blink-fuzz-{name}-"))
    for number, seed in enumerate(seeds_of(name)):
        (corpus / str(number)).write_bytes(seed)
    atheris.Setup(
        [
            sys.argv[0],
            str(corpus),
            f"-max_total_time={seconds}",
            f"-runs={runs}",
            "-max_len=20000",
            f"-timeout={LONGEST_S}",
            f"-rss_limit_mb={OWN_MB + MOST_MB}",
            "-print_final_stats=1",
        ],
        TARGETS[name],
    )
    atheris.Fuzz()


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz", description=__doc__, epilog=f"Targets: {', '.join(NAMES)}."
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    parser.add_argument("--runs", type=int, default=-1, help="for each target at most so many inputs")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    if importlib.util.find_spec("atheris") is None:
        print(
            f"atheris is not installed, so nothing can be fuzzed; try: {sys.executable} -m pip install atheris",
            file=sys.stderr,
        )
        return NO_ATHERIS
    if options.alone:
        _fuzz_one(options.names[0], options.seconds, options.runs)
    failed = []
    for name in options.names or NAMES:
        print(f"== {name}: {options.seconds} s", flush=True)
        bounds = ["--seconds", str(options.seconds), "--runs", str(options.runs)]
        command = [sys.executable, "-m", "tests.fuzz.inputs", "--alone", *bounds, name]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = (ran.stdout + ran.stderr).splitlines()
        shown = lines[-40:] if ran.returncode else [line for line in lines if "number_of_executed" in line]
        print(*shown, sep="\n", flush=True)
        if ran.returncode:
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "nothing found")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
