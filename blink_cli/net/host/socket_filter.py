"""Classic BPF programs on UDP sockets: what the kernel drops costs this process nothing.

A program that is attached sees each datagram from its UDP header on, and decides alone whether it comes into the socket's buffer. Linux only.
Source: Linux, Documentation/networking/filter.rst.
"""

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterable
from typing import Final

LOAD_BYTE: Final = 0x30
LOAD_HALF: Final = 0x28
LOAD_WORD: Final = 0x20
AND: Final = 0x54
JUMP: Final = 0x05
JUMP_IF_EQUAL: Final = 0x15
RETURN: Final = 0x06

SOURCE_PORT: Final = 0
PAYLOAD: Final = 8
"""Behind the UDP header."""

IP_HEADER: Final = 0xFFF00000
"""`SKF_NET_OFF`: the kernel's name for the beginning of the IP header."""

RANDOM: Final = 0xFFFFF000 + 56
"""`SKF_AD_OFF + SKF_AD_RANDOM`: a load from there gives a random number."""

KEEP: Final = 0xFFFFFFFF
DROP: Final = 0

INSTRUCTION_BYTES: Final = 8

_SO_ATTACH_FILTER: Final = 26
_SO_DETACH_FILTER: Final = 27
_INSTRUCTION: Final = struct.Struct("=HBBI")


def is_available() -> bool:
    """Whether this system has socket filters of this kind."""
    return sys.platform == "linux"


def instruction(code: int, value: int, *, if_true: int = 0, if_false: int = 0) -> bytes:
    """One instruction; a jump skips so many of those that follow, at most 255."""
    return _INSTRUCTION.pack(code, if_true, if_false, value)


def keep_if(checks: Iterable[tuple[int, int, int]]) -> bytes:
    """Keep a datagram for which every check holds, else go on behind. Each is what to load, where, and the value that is wanted.

    A load from beyond the end of the datagram drops it.
    """
    listed = list(checks)
    behind = 2 * len(listed)  # instructions from the first one to the verdict
    code = b""
    for number, (load, where, wanted) in enumerate(listed):
        code += instruction(load, where)
        code += instruction(JUMP_IF_EQUAL, wanted, if_false=behind - 2 * number - 1)
    return code + instruction(RETURN, KEEP)


def trickle(share: int) -> bytes:
    """Keep one of `share` (a power of two) datagrams, drawn at random, and drop the others: an end of a program, or a whole one."""
    assert share & (share - 1) == 0, "a mask picks one of a power of two"
    return b"".join(
        (
            instruction(LOAD_WORD, RANDOM),
            instruction(AND, share - 1),
            instruction(JUMP_IF_EQUAL, 0, if_false=1),
            instruction(RETURN, KEEP),
            instruction(RETURN, DROP),
        )
    )


def attach(descriptor: int, code: bytes) -> None:
    """Have the kernel run this program for all that comes from now on, in the place of an earlier one.

    Raises:
        OSError: The system has no such filter, refuses it, or has no room for it; the earlier one stays.

    """
    held = ctypes.create_string_buffer(code, len(code))
    pointer = struct.pack("@HP", len(code) // INSTRUCTION_BYTES, ctypes.addressof(held))
    with _borrowed(descriptor) as sock:
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, pointer)


def detach(descriptor: int) -> None:
    """Let everything come again.

    Raises:
        OSError: There is no program, or no socket any more.

    """
    with _borrowed(descriptor) as sock:
        sock.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)


def _borrowed(descriptor: int) -> socket.socket:
    """The socket as Python's own object, whatever the event loop wraps it in; closing it closes the copy of the descriptor only."""
    return socket.socket(fileno=os.dup(descriptor))
