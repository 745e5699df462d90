"""libsrtp for one direction of RTP, without pylibsrtp's detours: a packet costs one call, and no memory but for the bytes that are returned.

`pylibsrtp.Session` makes an integer for libsrtp and calls three functions of Python for each packet; with eight peers there are 800 packets a second.

A part of the seam to pylibsrtp; see docs/rtp_seam.md.
"""

from collections.abc import Callable
from typing import Any, Final

import pylibsrtp

BUFFER_BYTES: Final = 1_500
"""As pylibsrtp's."""

TRAILER_BYTES: Final = 16 + 128
"""What libsrtp may add to a packet."""

Process = Callable[[bytes], bytes]
"""Takes a packet and returns it sealed, or opened. One thread at a time. Raises `pylibsrtp.Error`, and `ValueError` for a packet that is too long."""


def sealing(session: pylibsrtp.Session) -> Process:
    """Return what seals the RTP packets of an outgoing session."""
    return _process(session, "srtp_protect", BUFFER_BYTES - TRAILER_BYTES)


def opening(session: pylibsrtp.Session) -> Process:
    """Return what opens the RTP packets of an incoming session."""
    return _process(session, "srtp_unprotect", BUFFER_BYTES)


def _process(session: pylibsrtp.Session, name: str, most_bytes: int) -> Process:
    binding: Any = pylibsrtp._binding  # noqa: SLF001 - part of the seam
    function = getattr(binding.lib, name)
    memory = binding.ffi.new("char[]", BUFFER_BYTES)
    view = binding.ffi.buffer(memory)
    length = binding.ffi.new("int *")

    def process(packet: bytes) -> bytes:
        size = len(packet)
        if size > most_bytes:
            raise ValueError("the packet is too long")
        length[0] = size
        view[0:size] = packet
        code = function(session._srtp[0], memory, length)  # noqa: SLF001 - part of the seam
        if code:
            raise pylibsrtp.Error(pylibsrtp.ERRORS[code])
        opened: bytes = view[0 : length[0]]
        return opened

    return process
