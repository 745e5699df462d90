"""Writes a choice down for later sessions of the profile, or says why that was not possible."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec

P = ParamSpec("P")


async def why_not_remembered(remember: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> str | None:
    """Call `remember` on another thread. Returns None when it is written, else why not: the words of replies' `not_remembered`.

    A disk that is full costs the next session a choice, and this one nothing.
    """
    try:
        await asyncio.to_thread(remember, *args, **kwargs)
    except OSError as failure:
        return failure.strerror or str(failure)
    return None
