"""Servers as users name them: what is understood, and a sentence without secrets for what is not."""

from typing import Any

import pytest

from blink_cli.core.api.ice_server import ConfiguredServer, parse_ice_server
from blink_cli.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "beside", "server", "url"),
    [
        (
            "stun:stun.example.org",
            {},
            ("stun", "stun.example.org", 3478, "udp"),
            "stun:stun.example.org:3478",
        ),
        ("stun:10.0.0.1:19302", {}, ("stun", "10.0.0.1", 19302, "udp"), "stun:10.0.0.1:19302"),
        ("turn:t.example", {}, ("turn", "t.example", 3478, "udp"), "turn:t.example:3478"),
        (
            "turn:al:se@t.example:80?transport=tcp",
            {},
            ("turn", "t.example", 80, "tcp", "al", "se"),
            "turn:t.example:80?transport=tcp",
        ),
        (
            "turn:t.example",
            {"username": "al", "credential": "a:b@c"},
            ("turn", "t.example", 3478, "udp", "al", "a:b@c"),
            "turn:t.example:3478",
        ),
        (
            "turns:a%40l:p%3Aw%25@t.example",
            {},
            ("turns", "t.example", 5349, "tcp", "a@l", "p:w%"),
            "turns:t.example:5349",
        ),
        ("turns:t.example:443?transport=tcp", {}, ("turns", "t.example", 443, "tcp"), "turns:t.example:443"),
        (
            "turn:t.example",
            {"secret": "hush"},
            ("turn", "t.example", 3478, "udp", None, None, "hush"),
            "turn:t.example:3478",
        ),
    ],
)
def test_a_server_is_read(text: str, beside: dict[str, str], server: tuple[Any, ...], url: str) -> None:
    read = parse_ice_server(text, **beside)
    assert read == ConfiguredServer(*server)
    assert read.url == url
    assert parse_ice_server(url).url == url


@pytest.mark.parametrize(
    ("text", "beside", "sentence"),
    [
        ("http://x", {}, "not the URL"),
        ("turn:", {}, "not the URL"),
        ("turn:a b", {}, "not the URL"),
        ("turn:[::1]:3478", {}, "not the URL"),
        ("turn:t.example?transport=sctp", {}, "not the URL"),
        ("turn:t.example:0", {}, "no port 0"),
        ("turn:t.example:70000", {}, "no port 70000"),
        ("stuns:t.example", {}, "TLS is not supported"),
        ("turns:t.example?transport=udp", {}, "DTLS is not supported"),
        ("stun:al:HUSH@t.example", {}, "neither transport nor user"),
        ("stun:t.example?transport=udp", {}, "neither transport nor user"),
        ("turn:al@t.example", {}, "username needs a credential"),
        ("turn:t.example", {"credential": "HUSH"}, "username needs a credential"),
        ("turn:al:HUSH@t.example", {"username": "bob", "credential": "HUSH"}, "beside it"),
        ("turn:t.example", {"username": "a", "credential": "HUSH", "secret": "HUSH"}, "exclude"),
        ("turn:al:HUSH@t.example:x", {}, "not the URL"),
    ],
)
def test_a_mistake_has_a_sentence_that_keeps_secrets(
    text: str, beside: dict[str, str], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence) as mistake:
        parse_ice_server(text, **beside)
    assert "HUSH" not in mistake.value.message + (mistake.value.hint or "")


def test_secrets_do_not_show() -> None:
    server = parse_ice_server("turn:al:HUSH@t.example")
    shared = parse_ice_server("turn:t.example", secret="HUSH")
    assert "HUSH" not in repr(server) + repr(shared) + server.url


def test_credentials_are_fixed_or_made_for_the_moment() -> None:
    assert parse_ice_server("turn:t.example").credentials(0.0) == (None, None)
    assert parse_ice_server("turn:al:se@t.example").credentials(0.0) == ("al", "se")
    shared = parse_ice_server("turn:t.example", username="al", secret="hush")
    assert shared.credentials(1_000.0)[0] == "87400:al"
    assert shared.credentials(1_000.0) != shared.credentials(2_000.0)
