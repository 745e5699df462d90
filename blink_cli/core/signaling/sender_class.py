"""What a sender is to this session: places, windows and budgets go by it, and not by address, which many may share or anybody invent.

CONTACT    in the user's contacts
INVITED    named in a call that is open here
HEARD      was in a call with this session
STRANGER   anybody else; identities cost nothing, so there are as many as somebody likes
"""

from enum import IntEnum


class SenderClass(IntEnum):
    """A higher one is never refused for the sake of a lower one."""

    STRANGER = 0
    HEARD = 1
    INVITED = 2
    CONTACT = 3
