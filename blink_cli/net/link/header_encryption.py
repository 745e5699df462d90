"""Keeps how loud somebody speaks, and that somebody speaks, from listeners: encrypted RTP header extensions (RFC 6904).

SRTP leaves a packet's header in the clear, and the audio level with it (RFC 6464, section 6). libsrtp can encrypt the values of chosen extensions with
keys of their own; ids and lengths stay in the clear. pylibsrtp has no word for it: its `Policy` leaves two fields of libsrtp's `srtp_policy_t` alone,
which stand behind one that it declares. Whether they stand there is tried on a packet before anything is offered.

A part of the seam to pylibsrtp; see docs/rtp_seam.md.
"""

import functools
import struct
from typing import Any, Final

import pylibsrtp
from pylibsrtp import Policy, Session

EXPORTER: Final = b"EXTRACTOR-dtls_srtp"
"""The label of SRTP's keys (RFC 5764, section 4.2)."""

REPLAY_WINDOW_PACKETS: Final = 1_024
"""As aiortc's."""

_POINTER_BYTES: Final = 8
_STRUCT_TAIL_BYTES: Final = 32
"""`int allow_repeat_tx; int *enc_xtn_hdr; int enc_xtn_hdr_count; struct srtp_policy_t *next;` of a 64-bit system (libsrtp 2, include/srtp.h)."""


@functools.cache
def is_available() -> bool:
    """Whether this machine's libsrtp encrypts a level and nothing else of a header, and gets it back."""
    binding = _binding()
    if binding is None:
        return False
    head = struct.pack("!BBHIIHHBBxx", 0x90, 111, 1, 960, 7, 0xBEDE, 1, 0x10, 0x85)
    packet = head + bytes(40)
    key = bytes(range(28))
    profile = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
    try:
        sealed = _session(key, profile, Policy.SSRC_ANY_OUTBOUND, 1).protect(packet)
        opened = _session(key, profile, Policy.SSRC_ANY_INBOUND, 1).unprotect(sealed)
    except pylibsrtp.Error:
        return False
    is_hidden = sealed[17] != packet[17]
    return opened == packet and is_hidden and sealed[:17] == packet[:17] and sealed[18:20] == packet[18:20]


def encrypting_sessions(dtls: Any, extension_id: int) -> tuple[Session, Session]:
    """Return the incoming and the outgoing SRTP session of a DTLS association, with one header extension encrypted.

    Args:
        dtls: aiortc's RTCDtlsTransport, connected.
        extension_id: 1 to 14.

    """
    chosen = dtls._ssl.get_selected_srtp_profile()  # noqa: SLF001 - part of the seam
    profile = next(known for known in dtls._srtp_profiles if known.openssl_profile == chosen)  # noqa: SLF001
    length = 2 * (profile.key_length + profile.salt_length)
    exported = dtls._ssl.export_keying_material(EXPORTER, length)  # noqa: SLF001
    ours = 1 if dtls._role == "server" else 0  # noqa: SLF001 - the client's keys come first (RFC 5764, section 4.2)
    kind = profile.libsrtp_profile
    incoming, outgoing = (
        profile.get_key_and_salt(exported, 1 - ours),
        profile.get_key_and_salt(exported, ours),
    )
    return (
        _session(incoming, kind, Policy.SSRC_ANY_INBOUND, extension_id),
        _session(outgoing, kind, Policy.SSRC_ANY_OUTBOUND, extension_id),
    )


def _session(key: bytes, profile: int, direction: int, extension_id: int) -> Session:
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=profile)
    policy.allow_repeat_tx = True
    policy.window_size = REPLAY_WINDOW_PACKETS
    ffi = _binding()
    assert ffi is not None, "asked for only where it is available"
    ids = ffi.new("int[]", [extension_id])  # libsrtp copies them
    policy_bytes = ffi.cast("char *", policy._policy)  # noqa: SLF001
    begin = ffi.offsetof("srtp_policy_t", "allow_repeat_tx") + _POINTER_BYTES
    ffi.cast("int **", policy_bytes + begin)[0] = ids
    ffi.cast("int *", policy_bytes + begin + _POINTER_BYTES)[0] = 1
    session = Session(policy)
    del ids
    return session


def _binding() -> Any:
    """What pylibsrtp calls libsrtp with; None when its policies are not those that are known here."""
    try:
        from pylibsrtp._binding import ffi  # noqa: PLC0415 - not promised

        tail = ffi.sizeof("srtp_policy_t") - ffi.offsetof("srtp_policy_t", "allow_repeat_tx")
    except (ImportError, AttributeError, KeyError, TypeError):
        return None
    is_known = tail == _STRUCT_TAIL_BYTES and ffi.sizeof("int *") == _POINTER_BYTES
    return ffi if is_known else None
