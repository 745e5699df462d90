"""Which user is at the other end of a Unix domain socket, as the kernel says."""

import socket
import struct
import sys

_LOCAL_PEERCRED = 1
"""<sys/un.h> of macOS and FreeBSD; Python does not name it."""

_SOL_LOCAL = 0


def peer_uid(connection: socket.socket) -> int | None:
    """Return the user id of the process that connected; None where the system does not tell."""
    if sys.platform == "linux":
        uid: int | None = _linux_uid(connection)
    elif sys.platform == "darwin" or sys.platform.startswith("freebsd"):
        uid = _bsd_uid(connection)
    else:
        uid = None
    return uid


def _linux_uid(connection: socket.socket) -> int:
    # struct ucred: pid, uid, gid (unix(7)).
    layout = struct.Struct("iII")
    _pid, uid, _gid = layout.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, layout.size))
    return int(uid)


def _bsd_uid(connection: socket.socket) -> int:
    # struct xucred begins with cr_version and cr_uid (<sys/ucred.h>), and holds 16 groups.
    credentials = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 256)
    _version, uid = struct.unpack_from("II", credentials)
    return int(uid)
