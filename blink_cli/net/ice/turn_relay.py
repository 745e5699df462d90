"""The end of a TURN allocation: aioice's own has none within a minute when the server died.

A part of the seam to aioice; see docs/rtp_seam.md.
"""

import asyncio
from typing import Any, Final

from aioice.turn import TurnTransport

RELAY_FAREWELL_S: Final = 0.8
"""How long a TURN server has to confirm the end of an allocation: one repetition of the request, after 0.5 s, included.
aioice would ask a dead one for 63 s. An allocation that is not given back expires by itself."""


def give_back_relay(relay: TurnTransport) -> asyncio.Task[None]:
    """End a TURN allocation, within `RELAY_FAREWELL_S` whatever the server does.

    Returns:
        aioice's own task, which ends when the socket is closed; cancelling it closes the socket at once.

    """
    relay.close()
    names: Any = vars(relay)
    closing: asyncio.Task[None] = names["_TurnTransport__close_task"]

    def give_up() -> None:
        for task in (closing, *names["_TurnTransport__send_tasks"]):
            task.cancel()

    timer = asyncio.get_running_loop().call_later(RELAY_FAREWELL_S, give_up)
    closing.add_done_callback(lambda _: timer.cancel())
    return closing
