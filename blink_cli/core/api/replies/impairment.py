"""Replies about links that are impaired on purpose."""

from typing import Literal

from blink_cli.core.api.replies.document import ReplyPart, WholeReply
from blink_cli.core.ids import Did


class ImpairmentRule(ReplyPart, frozen=True):
    """How one direction of links is impaired on purpose, as a user said."""

    did: Did | None
    """Whose links; null: everybody's who has no rule of its own."""

    nickname: str | None
    direction: Literal["in", "out"]
    """What comes to this session, or what it sends."""

    conditions: str | None
    """Words, such as `loss=3% delay=40ms`; null: this peer is spared."""

    seed: int | None
    """Of its chances: the same one gives the same losses."""


class ImpairedDatagrams(ReplyPart, frozen=True):
    """What a line did, counted by itself. `datagrams` and `duplicated` are together all those below that were lost or dropped, came out, or are under way."""

    datagrams: int
    lost: int
    """By chance, or by a trace."""

    lost_in_outages: int
    dropped: int
    """By the full queue of a limited rate."""

    duplicated: int
    corrupted: int
    held_back: int
    """That those behind were let overtake."""

    delivered: int
    """That came out, copies too."""

    overtaken: int
    """Of these, how many came out behind one that was sent later."""

    under_way: int
    mean_delay_ms: float | None
    """Of those that came out; null before the first."""


class ImpairedLine(ReplyPart, frozen=True):
    """One direction of the links to one peer, in this call."""

    did: Did
    nickname: str
    direction: Literal["in", "out"]
    conditions: str
    rtp: ImpairedDatagrams
    """Of the voice."""

    other: ImpairedDatagrams
    """Voice that went again, RTCP, STUN and DTLS."""

    video: ImpairedDatagrams | None = None
    """RTP of pictures; null where none went by."""


class ImpairmentState(ReplyPart, frozen=True):
    """What is impaired on purpose: figures of this session are not the network's."""

    rules: tuple[ImpairmentRule, ...]
    lines: tuple[ImpairedLine, ...]
    """Of the peers of this call, from their first link on."""


class ImpairmentShown(WholeReply, frozen=True, tag="impairment"):
    """What is impaired now."""

    impairment: ImpairmentState | None
    """Null: nothing."""
