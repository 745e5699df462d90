"""What a peer is called where people, or assertions, read of it: its nickname, or a short form of its DID."""

from blink_cli.core.identity.nickname import harmless_text


def short_did(did: str) -> str:
    """Return a DID short enough for a table and long enough to name it: `z6MkhaXg`.

    All DIDs begin with `did:key:z6Mk`, so what follows is what tells them apart.
    """
    key = printable(did.removeprefix("did:key:"))
    return f"{key[:12]}…" if len(key) > 13 else key


def printable(text: str) -> str:
    """Return text from a stranger without what could move the cursor or change colours. Paths: see `core.path_text.shown`."""
    return harmless_text(text, instead="?")


def shown_name(nickname: str, did: str) -> str:
    """Return a peer's nickname, or its short DID when it has none."""
    return printable(nickname) or short_did(did)
