"""The base classes of replies, and the reply that carries nothing."""

import msgspec

SCHEMA = 1


class ReplyPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a reply."""


class WholeReply(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """A whole reply. The tag travels on the control socket and is not printed."""

    schema: int = SCHEMA


class Done(WholeReply, frozen=True, tag="done"):
    """It is so now."""

    ok: bool = True
