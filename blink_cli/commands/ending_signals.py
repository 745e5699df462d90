"""The signals that end a program."""

import signal

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)
"""Sent when the terminal is gone: its window was closed, or ssh's line broke. Windows has none."""


def ending_signals() -> tuple[signal.Signals, ...]:
    """Those that end a program as it would end by itself; without the hangup where `nohup` had it ignored."""
    if HANGUP is None or signal.getsignal(HANGUP) is signal.SIG_IGN:
        return STOP_SIGNALS
    return (*STOP_SIGNALS, HANGUP)
