"""Secrets are taken out of text, and nothing else."""

import pytest

from blink_cli.core.text.veil import Veil

PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHJ\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "veiled"),
    [
        (
            "a=ice-ufrag:abcd\r\na=ice-pwd:s3cr3ts3cr3t\r\na=mid:0",
            "a=ice-ufrag:abcd\r\na=ice-pwd:veiled\r\na=mid:0",
        ),
        ("turn:anna:s3cr3t@turn.example:3478", "turn:veiled@turn.example:3478"),
        ("turns:anna:s3cr3t%40@turn.example", "turns:veiled@turn.example"),
        (
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0c2VjcmV0",
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:veiled",
        ),
        ('credential = "s3 cr3t"', 'credential = "veiled"'),
        ('{"secret":"s3cr3t","url":"stun:h"}', '{"secret":"veiled","url":"stun:h"}'),
        (r'{"said":"{\"secret\": \"s3cr3t\", 1}"}', r'{"said":"{\"secret\": \"veiled\", 1}"}'),
        ("credential='s3cr3t', x", "credential='veiled', x"),
        ("BLINK_PASSPHRASE=s3cr3t blink serve", "BLINK_PASSPHRASE=veiled blink serve"),
        (f"before {PEM} behind", "before veiled behind"),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMC4CAQAw, and the end is missing", "veiled"),
    ],
)
def test_what_looks_like_a_secret(text: str, veiled: str) -> None:
    assert Veil().over(text) == veiled


@pytest.mark.parametrize(
    "text",
    [
        "turn:turn.example:3478?transport=tcp refuses the username or the credential",
        "the key in /home/anna/identity.pem is locked with a passphrase",
        "stun:stun.example.org, did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "-----BEGIN PUBLIC KEY-----",
        '{"credential":null,"secret":None}',
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert Veil().over(text) == text


def test_secrets_that_are_known_go_wherever_they_stand() -> None:
    veil = Veil(["open sesame", "sesame street", "a.b*c", "abc"])
    assert veil.over("xopen sesamex, a.b*c and axbyc, abc") == "xveiledx, veiled and axbyc, abc"
    assert veil.over("open sesame street") == "veiled street"
