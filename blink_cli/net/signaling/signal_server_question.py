"""Asks one signal server what a session needs of it: a connection, its credentials taken, subjects permitted, and a round trip."""

import asyncio
import secrets

import msgspec

from blink_cli.core.api.signal_server import SignalAccess, SignalServer
from blink_cli.core.signaling.topics import TOPIC_BYTES, Topic
from blink_cli.net.signaling.broker_subjects import INBOX_BYTES, inbox_subject, topic_subject
from blink_cli.net.signaling.nats_connection import ConnectionState, NatsConnection


class ServerAnswer(msgspec.Struct, frozen=True):
    """What became of it."""

    problem: str | None
    """The end of a sentence that begins with the server; None: it can be used."""

    rtt_s: float | None
    """To the server and back; None where it cannot be used."""


async def ask_signal_server(server: SignalServer, access: SignalAccess) -> ServerAnswer:
    """Connect as a session does, on topics that are nobody's, and leave again. Takes three seconds at most.

    Raises:
        UsageError: Certificates or credentials cannot be read.

    """
    told: asyncio.Future[ServerAnswer] = asyncio.get_running_loop().create_future()

    def changed(state: ConnectionState) -> None:
        if not told.done():
            told.set_result(ServerAnswer(state.problem, connection.rtt_s))

    connection = NatsConnection(
        (server,),
        access,
        inbox=inbox_subject(secrets.token_bytes(INBOX_BYTES)),
        received=lambda _: None,
        changed=changed,
        probe=_nobodys_subject(),
    )
    connection.subscribe({_nobodys_subject()})
    async with connection:
        return await told


def _nobodys_subject() -> str:
    return topic_subject(Topic(secrets.token_bytes(TOPIC_BYTES)))
