"""The secret that two identities have in common without a word: X25519 of their keys. Computed once for each peer."""

from collections import OrderedDict
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from blink_cli.core.identity.identity import Identity
from blink_cli.core.signaling.sealing import agreement_key_of

MAX_SECRETS: Final = 1_024
"""Above all contacts, invited and heard peers that are listened to."""

_INFO: Final = b"blink 2 pair"


class PairSecrets:
    """Of one identity with others. The one that was used longest ago is forgotten first, and computed again when it is needed."""

    def __init__(self, identity: Identity, *, capacity: int = MAX_SECRETS) -> None:
        """Know none."""
        self._identity = identity
        self._capacity = capacity
        self._secrets: OrderedDict[bytes, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._secrets)

    def of(self, public_key: bytes) -> bytes:
        """32 bytes, the same for both; 0.2 ms the first time.

        Args:
            public_key: The peer's Ed25519 public key; `public_key_of` has refused what is none.

        """
        known = self._secrets.get(public_key)
        if known is not None:
            self._secrets.move_to_end(public_key)
            return known
        shared = self._identity.agreement_key.exchange(agreement_key_of(public_key))
        # Both in the same order, whoever asks: then the secret names exactly these two (RFC 9180 calls it the KEM context).
        both = b"".join(sorted((self._identity.public_key, public_key)))
        secret = HKDF(SHA256(), 32, None, _INFO + both).derive(shared)
        if len(self._secrets) >= self._capacity:
            self._secrets.popitem(last=False)
        self._secrets[public_key] = secret
        return secret
