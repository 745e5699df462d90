"""Carries out what a user asks about bad networks on purpose.

`impair [PEER] loss=3% …` --> ImpairmentRequests --> PeerLinks, which keeps it until the session ends; told as an event, and noted in files
"""

import asyncio
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from blink_cli.app.call.peer_directory import PeerDirectory
from blink_cli.app.media.impaired_peers import ImpairedPeers, Rule
from blink_cli.app.request_table import RequestTable
from blink_cli.core.api.events import Event, ImpairmentChanged
from blink_cli.core.api.replies.impairment import ImpairmentShown
from blink_cli.core.api.requests import GetImpairment, SetImpairment, Way
from blink_cli.core.errors import UsageError
from blink_cli.core.ids import Did
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.delay_trace import MOST_BYTES, DelayTrace, trace_from_text
from blink_cli.core.impairment.words import Impairment, impairment_from_words, impairment_text
from blink_cli.core.text.path_text import shown
from blink_cli.files.reading import read_whole

MOST_DRAWN_SEED: Final = 1_000_000
"""Seeds that are drawn, and shown, are short enough to be typed again."""


class ImpairmentRequests:
    """Belongs to the event loop."""

    def __init__(
        self,
        own: Did,
        impaired: ImpairedPeers,
        directory: PeerDirectory,
        publish: Callable[[Event], None],
        *,
        note: Callable[[str], None],
    ) -> None:
        """Impair nothing yet.

        Args:
            own: Who this session is.
            impaired: What is done to links.
            directory: Finds peers, and says what they are called.
            publish: Takes events.
            note: Told what holds after a change, for the files that are written; empty for nothing.

        """
        self._own = own
        self._impaired = impaired
        self._directory = directory
        self._publish = publish
        self._note = note
        impaired.name_with(own, directory.name_of)

    def add_to(self, table: RequestTable) -> None:
        """Carry out the requests about impairments."""
        table.add(SetImpairment, self._set)
        table.add(GetImpairment, self._get)

    def notices(self) -> tuple[ImpairmentChanged, ...]:
        """What every listener hears first."""
        state = self._impaired.state()
        if state is None:
            return ()
        return tuple(self._told(did) for did in dict.fromkeys(rule.did for rule in state.rules))

    async def _set(self, request: SetImpairment) -> ImpairmentShown:
        peer = None if request.peer is None else self._peer(request.peer)
        rule = None
        if request.words:
            said = await asyncio.to_thread(impairment_from_words, request.words, read_trace=_read_trace)
            rule = _rule(said)
        self._impaired.change(peer, request.ways, rule)
        self._publish(self._told(peer))
        self._note(self._impaired.note())
        return self._shown()

    async def _get(self, _: GetImpairment) -> ImpairmentShown:
        return self._shown()

    def _shown(self) -> ImpairmentShown:
        return ImpairmentShown(impairment=self._impaired.state())

    def _told(self, peer: Did | None) -> ImpairmentChanged:
        return ImpairmentChanged(
            did=peer,
            nickname="" if peer is None else self._directory.name_of(peer),
            incoming=self._text(peer, "in"),
            outgoing=self._text(peer, "out"),
        )

    def _text(self, peer: Did | None, way: Way) -> str | None:
        rule = self._impaired.rule(peer, way)
        return None if rule is None else impairment_text(Impairment(rule.conditions, rule.seed))

    def _peer(self, name: str) -> Did:
        peer = self._directory.resolve_participant(name)
        if peer == self._own:
            raise UsageError(
                "A session has no link to itself.", hint="Name another, or nobody: `blink impair loss=3%`."
            )
        return peer


def _rule(said: Impairment) -> Rule | None:
    if said.conditions == Conditions():
        return None
    return Rule(said.conditions, secrets.randbelow(MOST_DRAWN_SEED) if said.seed is None else said.seed)


def _read_trace(name: str) -> DelayTrace:
    try:
        text = read_whole(Path(name), MOST_BYTES).decode()
    except UnicodeDecodeError:
        raise UsageError(
            f"The trace {shown(name)} is no text.", hint="Each line is a delay in ms, or the word lost."
        ) from None
    except OSError as failure:
        raise UsageError(
            f"The trace {shown(name)} cannot be read: {failure.strerror or os.strerror(failure.errno or 0)}.",
            hint="Name a text file with a delay in ms in each line.",
        ) from failure
    return trace_from_text(name, text)
