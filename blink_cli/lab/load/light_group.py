"""All light participants of a load, on one socket for signals. None wants a link to another: thirty would make 435 among themselves."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from blink_cli.core.api.sfu_server import NamedSfus
from blink_cli.core.call.room_policy import RoomPolicy
from blink_cli.core.gossip import Received
from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.lab.load.light_participant import LightParticipant
from blink_cli.net.link_settings import LinkSettings
from blink_cli.net.signaling.shared_transport import SharedTransport
from blink_cli.net.signaling.udp_transport import UdpTransport
from blink_cli.runtime.tasks import TaskOwner

LINKS_CLOSE_S: Final = 1.0
"""How long links have to close."""


@asynccontextmanager
async def light_group(
    nicknames: Sequence[str],
    speeches: Sequence[Sequence[EncodedFrame]],
    transport: UdpTransport,
    settings: LinkSettings,
    *,
    rooms: RoomPolicy | None = None,
    sfus: NamedSfus = NamedSfus(),  # noqa: B008 - a value, and frozen
) -> AsyncIterator[tuple[LightParticipant, ...]]:
    """Be so many participants for as long as the context lasts; their calls are left at its end.

    Args:
        nicknames: One for each.
        speeches: What they say, in turn.
        transport: Not started.
        settings: How links are made.
        rooms: On which SFUs they meet; None: on none.
        sfus: How those are reached.

    Raises:
        BlinkError: The network cannot be used.

    """
    members: list[LightParticipant] = []

    def hear_for_all(told: Received) -> None:
        for member in members:
            member.hear_in_call(told)

    async with AsyncExitStack() as stack:
        tasks = TaskOwner("load")
        shared = await stack.enter_async_context(SharedTransport(transport))
        for number, nickname in enumerate(nicknames):
            member = LightParticipant(
                nickname=nickname,
                frames=speeches[number % len(speeches)],
                transport=shared.share(),
                settings=settings,
                tasks=tasks,
                hear_for_all=hear_for_all,
                rooms=rooms,
                sfus=sfus,
            )
            members.append(member)
            await stack.enter_async_context(member.post)
        stack.push_async_callback(tasks.aclose, patience_s=LINKS_CLOSE_S)
        group = frozenset(member.did for member in members)
        if rooms is None:
            for member in members:
                member.runner.want_no_links(group - {member.did})
        yield tuple(members)
