"""How far long work is."""

from collections.abc import Callable

Progress = Callable[[float], None]
"""Called with how much is done, 0 to 1, on the thread that works; what it raises ends the work cleanly."""
