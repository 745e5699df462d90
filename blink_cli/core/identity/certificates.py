"""Certificates as text and as bytes: PEM is the base64 of DER between two lines (RFC 7468)."""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from blink_cli.core.errors import UsageError


def der_of_pem(pem: str) -> bytes:
    """Return the one certificate that stands in a text.

    Raises:
        UsageError: There is none, or more than one.

    """
    try:
        (certificate,) = x509.load_pem_x509_certificates(pem.encode())
    except ValueError as failure:
        raise UsageError(
            "An invitation has room for one certificate.",
            hint="Name a file with the one that signed the server's.",
        ) from failure
    return certificate.public_bytes(Encoding.DER)


def pem_of_der(der: bytes) -> str:
    """Return a certificate as text.

    Raises:
        UsageError: It is none.

    """
    try:
        return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode()
    except ValueError as failure:
        raise UsageError(
            "The certificate of this invitation cannot be read.", hint="Ask for another one."
        ) from failure
