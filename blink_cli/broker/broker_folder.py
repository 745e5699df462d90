"""The folder of a broker: everything that `nats-server` needs, made by one command, and what members are told.

    certificate.pem, key.pem   self-signed, Ed25519, for the names and addresses by which members reach it
    member.seed                the nkey of the group: who has it may use the broker
    nats.conf                  TLS alone, one account, subjects of this program alone, small bounds
    invitation.txt             what members join with

All are their owner's alone (mode 0600).
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from blink_cli.broker.member_key import MemberKey, new_member_key
from blink_cli.core.api.invitation import MAX_CHARS, Invitation, read_invitation, write_invitation
from blink_cli.core.api.signal_server import SignalServer
from blink_cli.core.errors import NotFoundError, UsageError
from blink_cli.core.text.path_text import shown
from blink_cli.files.private_folder import make_private
from blink_cli.files.reading import read_whole
from blink_cli.files.writing import write_new

CONFIGURATION: Final = "nats.conf"
INVITATION: Final = "invitation.txt"
_CERTIFICATE: Final = "certificate.pem"
_KEY: Final = "key.pem"
_SEED: Final = "member.seed"

VALID_DAYS: Final = 10 * 365
_CLOCKS_DIFFER_DAYS: Final = 2

_TEMPLATE: Final = """\
# A broker of signals for blink. Made by `blink broker init`; yours to change.
server_name: "blink"
listen: "[::]:{port}"

tls {{
  cert_file: "{certificate}"
  key_file: "{key}"
  timeout: 5
}}

accounts {{
  BLINK {{
    users: [
      {{
        nkey: "{member}"
        permissions {{
          publish: "blink.>"
          subscribe: "blink.>"
        }}
      }}
    ]
  }}
}}

# A datagram has 1,200 bytes; a session listens to two topics of each contact, and to a few of each call.
max_payload: 2048
max_subscriptions: 4096
max_pending: 4MB
write_deadline: "2s"
ping_interval: "20s"
ping_max: 2
"""


@dataclass(frozen=True, slots=True)
class BrokerFolder:
    """A folder that was made."""

    path: Path
    invitation: Invitation


def make_broker_folder(path: Path, hosts: Sequence[str], port: int) -> BrokerFolder:
    """Make it.

    Args:
        path: Which does not exist, or is empty.
        hosts: Names and addresses by which members reach the broker, the best first; at least one.
        port: TCP port, 1 to 65535.

    Raises:
        UsageError: Something is there already.
        OSError: It cannot be written.

    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(
            f"{shown(path)} is there already, and not empty.",
            hint="Name another folder; `blink broker run` starts one that was made.",
        )
    make_private(path)
    key = Ed25519PrivateKey.generate()
    certificate = _certificate(key, hosts)
    member = new_member_key()
    servers = tuple(SignalServer("tls", _in_url(host), port) for host in hosts)
    invitation = Invitation(
        None, "", servers, certificate.public_bytes(serialization.Encoding.DER), member.seed
    )
    write_new(path / _CERTIFICATE, certificate.public_bytes(serialization.Encoding.PEM))
    write_new(
        path / _KEY,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    write_new(path / _SEED, f"{member.seed}\n".encode())
    write_new(path / CONFIGURATION, _configuration(port, member).encode())
    write_new(path / INVITATION, f"{write_invitation(invitation)}\n".encode())
    return BrokerFolder(path, invitation)


def open_broker_folder(path: Path) -> BrokerFolder:
    """Open one that was made.

    Raises:
        NotFoundError: There is none.
        UsageError: Its invitation is damaged.

    """
    if not (path / CONFIGURATION).is_file():
        raise NotFoundError(
            f"There is no broker in {shown(path)}.", hint=f"`blink broker init {shown(path)}` makes one."
        )
    try:
        text = read_whole(path / INVITATION, MAX_CHARS + 1).decode()
    except (OSError, UnicodeDecodeError) as failure:
        problem = failure.strerror or failure if isinstance(failure, OSError) else "it is no text"
        raise UsageError(
            f"{shown(path / INVITATION)} cannot be read: {problem}.",
            hint="Make a new broker with `blink broker init`; its members join anew.",
        ) from failure
    return BrokerFolder(path, read_invitation(text))


def _configuration(port: int, member: MemberKey) -> str:
    return _TEMPLATE.format(port=port, certificate=_CERTIFICATE, key=_KEY, member=member.public)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _certificate(key: Ed25519PrivateKey, hosts: Sequence[str]) -> x509.Certificate:
    """Return one that signs itself: who is told it trusts it and nobody else."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "blink broker")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=_CLOCKS_DIFFER_DAYS))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, None)
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
