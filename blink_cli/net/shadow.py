"""Another method for one object of a library."""

from collections.abc import Callable
from typing import Any


def shadow(owner: object, method: str, replacement: Callable[..., Any]) -> None:
    """Put a function before a method of one instance; the class and its other instances stay as they are.

    Raises:
        AttributeError: There is no such method, so the replacement would never be called.

    """
    getattr(owner, method)
    setattr(owner, method, replacement)
