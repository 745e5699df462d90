"""What the parts of one joining of a call share."""

import msgspec

from blink_cli.core.call.effects import CallEffect
from blink_cli.core.call.link import Link
from blink_cli.core.call.membership import CallRecord
from blink_cli.core.call.settings import CallSettings
from blink_cli.core.ids import Did


class Joining(msgspec.Struct, frozen=True):
    """From when this session joins a call until it leaves it."""

    call: CallRecord
    links: dict[Did, Link]
    """To everyone invited, whether there or not."""

    settings: CallSettings
    """Paced for this call."""

    out: list[CallEffect]
    """The outbox: what is to be done."""
