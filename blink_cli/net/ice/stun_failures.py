"""What aioice raises on bytes that pretend to be STUN: it was written for servers and peers that mean well."""

import struct
from typing import Final

STUN_FAILURES: Final = (ValueError, KeyError, IndexError, AssertionError, struct.error)
"""From its parser, and from what it does with an answer to a request that it never made."""
