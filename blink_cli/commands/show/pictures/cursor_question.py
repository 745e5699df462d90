# ruff: noqa: SLF001 - part of the seam, which may touch private names
"""Questions to the terminal that prompt_toolkit did not ask itself, in its list of those that are not answered yet.

Before it gives the keyboard back, at every end and before lines above a prompt, it reads the answers to what is in this list, for a second at most.
What is not in it is answered to whoever reads next: a shell takes `ESC [ 23 ; 120 R` for something typed.
"""

import asyncio
from typing import Any

from prompt_toolkit.application import Application


def expect_answer(application: "Application[Any]") -> None:
    """The terminal is asked where its cursor is; `Renderer.report_absolute_cursor_row` takes the answer. On the application's event loop."""
    application.renderer._waiting_for_cpr_futures.append(asyncio.get_running_loop().create_future())
