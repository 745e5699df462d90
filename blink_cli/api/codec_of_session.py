"""How a session encodes voice, for programs: `session.codec`."""

from collections.abc import Sequence
from typing import Any

import msgspec

from blink_cli.api.option_words import checked_codec
from blink_cli.core.api.replies.codec import CodecSet, CodecShown
from blink_cli.core.api.requests import GetCodec, SetCodec
from blink_cli.core.api.session_options import CodecKey, CodecOptions
from blink_cli.core.api.session_port import SessionPort


class SessionCodec:
    """Opus, as it is now and from the next frame on."""

    def __init__(self, port: SessionPort) -> None:
        self._port = port

    async def show(self) -> CodecShown:
        """How voice is encoded."""
        return await self._port.ask(GetCodec())

    async def set(
        self,
        changes: CodecOptions | None = None,
        *,
        to_default: Sequence[CodecKey] = (),
        once: bool = False,
    ) -> CodecSet:
        """Encode otherwise, in the middle of a call too.

        Args:
            changes: What changes; None of a field leaves it as it is.
            to_default: What is as the settings file says again.
            once: For this call only; otherwise it is remembered.

        Raises:
            UsageError: A value is not possible.

        """
        said: dict[str, Any] = {} if changes is None else msgspec.structs.asdict(checked_codec(changes))
        return await self._port.ask(
            SetCodec(changes=CodecOptions(**said), to_default=tuple(to_default), once=once)
        )
