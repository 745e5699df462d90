"""A signal with its sender's name, time and signature: what is inside every sealed message.

The signature covers where the message travels (topic and message id), whom it was sealed to, its time and its content.
So whoever receives a message can read it but can neither pass it on to a third party in the sender's name, nor send it
again later as something new.
"""

import zlib
from functools import lru_cache
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from blink_cli.core.errors import UsageError, WireError
from blink_cli.core.identity.curve25519 import x25519_public_bytes
from blink_cli.core.identity.did import public_key_of
from blink_cli.core.identity.identity import Identity
from blink_cli.core.signaling.signals import Offer, Signal

MAX_CONTENT_BYTES: Final = 12_288
"""Of one encoded signal: the largest, a session description, has up to 8,000 characters."""

MAX_ENVELOPE_BYTES: Final = MAX_CONTENT_BYTES + 256

TOKEN_BYTES: Final = 16

_DEFLATE_FROM_BYTES: Final = 512
"""SDP halves when deflated and then fits one datagram: under loss two datagrams arrive less often than one. Shorter
signals fit anyway."""

_CONTEXT: Final = b"blink 2 signal\x00"


class ForgedError(WireError):
    """The signature is not that of the sender it names, over this message in this place."""


class _Envelope(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    sender: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    sent_ms: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    ack_token: Annotated[bytes, msgspec.Meta(max_length=TOKEN_BYTES)]
    deflated: bool
    content: Annotated[bytes, msgspec.Meta(max_length=MAX_CONTENT_BYTES)]
    signature: Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]


class OpenedEnvelope(msgspec.Struct, frozen=True):
    """A signal whose signature has been checked."""

    sender: bytes
    """Ed25519 public key of who signed it."""

    sent_ms: int
    """Its sender's wall clock, milliseconds since 1970."""

    ack_token: bytes
    """What its receiver answers with, 16 bytes; empty: no answer wanted."""

    signal: Signal


_encoder = msgspec.msgpack.Encoder()
_envelope_decoder = msgspec.msgpack.Decoder(_Envelope, strict=True)
_signal_decoder: msgspec.msgpack.Decoder[Signal] = msgspec.msgpack.Decoder(Signal, strict=True)


def write_envelope(
    signal: Signal,
    identity: Identity,
    *,
    scope: bytes,
    recipient: bytes,
    sent_ms: int,
    ack_token: bytes = b"",
) -> bytes:
    """Encode and sign; about 60 us.

    Args:
        signal: What to say.
        identity: Who says it.
        scope: Topic and message id, 32 bytes.
        recipient: Whom it will be sealed to, 32 bytes: a peer's public key, or `recipient_of_call`.
        sent_ms: Wall clock, milliseconds since 1970.
        ack_token: 16 secret random bytes when an acknowledgement is wanted.

    """
    content = _encoder.encode(signal)
    assert len(content) <= MAX_CONTENT_BYTES, (
        "the caps in core/signaling/signals.py keep every signal below this"
    )
    deflated = len(content) >= _DEFLATE_FROM_BYTES
    if deflated:
        content = zlib.compress(content, 6)
    signature = identity.sign(_signed_bytes(scope, recipient, sent_ms, ack_token, content, deflated=deflated))
    return _encoder.encode(_Envelope(identity.public_key, sent_ms, ack_token, deflated, content, signature))


class Claim(msgspec.Struct, frozen=True):
    """What an envelope says of itself, before its signature has been checked."""

    sender: bytes
    sent_ms: int


def read_claim(encoded: bytes) -> Claim:
    """Who claims to have said this, and when; some microseconds.

    Raises:
        WireError: Too large, or no envelope.

    """
    envelope = _decode(encoded)
    return Claim(envelope.sender, envelope.sent_ms)


def read_envelope(encoded: bytes, *, scope: bytes, recipient: bytes) -> OpenedEnvelope:
    """Decode and verify; about 180 us.

    Raises:
        ForgedError: Wrongly signed.
        WireError: Too large, no envelope, or no signal of ours.

    """
    envelope = _decode(encoded)
    if len(envelope.ack_token) not in (0, TOKEN_BYTES):
        raise WireError("an acknowledgement token of no valid length")
    signed = _signed_bytes(
        scope, recipient, envelope.sent_ms, envelope.ack_token, envelope.content, deflated=envelope.deflated
    )
    try:
        _verifying_key(envelope.sender).verify(envelope.signature, signed)
    except (InvalidSignature, ValueError) as reason:
        raise ForgedError("not signed by its sender") from reason
    return OpenedEnvelope(envelope.sender, envelope.sent_ms, envelope.ack_token, _read_signal(envelope))


def _decode(encoded: bytes) -> _Envelope:
    if len(encoded) > MAX_ENVELOPE_BYTES:
        raise WireError("envelope too large")
    try:
        return _envelope_decoder.decode(encoded)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as reason:
        raise WireError("not an envelope") from reason


def _read_signal(envelope: _Envelope) -> Signal:
    content = _inflate(envelope.content) if envelope.deflated else envelope.content
    try:
        signal = _signal_decoder.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as reason:
        raise WireError("not a signal") from reason
    if isinstance(signal, Offer):
        _refuse_nobodies(signal)
    return signal


def _refuse_nobodies(offer: Offer) -> None:
    # Everyone named is shown, answered and dialled; what is no key can be none of that.
    for did in offer.participants:
        try:
            public_key_of(did)
        except UsageError as reason:
            raise WireError("an offer names somebody who cannot be") from reason


def _inflate(deflated: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(deflated, MAX_CONTENT_BYTES)
    except zlib.error as reason:
        raise WireError("content does not inflate") from reason
    if not inflater.eof or inflater.unused_data:
        raise WireError("content inflates to more than a signal, or carries something behind it")
    return content


def _signed_bytes(
    scope: bytes, recipient: bytes, sent_ms: int, ack_token: bytes, content: bytes, *, deflated: bool
) -> bytes:
    # Every part but the last has a fixed length, so no two different messages have the same bytes.
    token = ack_token or bytes(TOKEN_BYTES)
    return b"".join(
        (_CONTEXT, scope, recipient, sent_ms.to_bytes(8, "big"), token, bytes([deflated]), content)
    )


@lru_cache(maxsize=1024)
def _verifying_key(public_key: bytes) -> Ed25519PublicKey:
    x25519_public_bytes(public_key)  # refuses points of small order, for which anybody could sign
    return Ed25519PublicKey.from_public_bytes(public_key)
