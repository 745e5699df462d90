"""Time-limited credentials against values that OpenSSL computed."""

import pytest

from blink_cli.core.api.turn_credentials import CREDENTIAL_LIFETIME_S, time_limited_credentials

NOW_S = 1_700_000_000.9


@pytest.mark.parametrize(
    ("name", "username", "credential"),
    [
        # printf '%s' "$username" | openssl dgst -sha1 -hmac "north star" -binary | base64
        ("alice", "1700086400:alice", "GVECRq420fj443rqOSGBHGvr+BY="),
        ("", "1700086400", "6cch4Q4jSBrNFvr5R3NADFgPTc4="),
    ],
)
def test_they_are_what_every_server_computes(name: str, username: str, credential: str) -> None:
    assert time_limited_credentials("north star", name, NOW_S) == (username, credential)


def test_they_are_new_every_second_and_last_a_day() -> None:
    first, _ = time_limited_credentials("s", "", NOW_S)
    later, _ = time_limited_credentials("s", "", NOW_S + 1)
    assert int(later) - int(first) == 1
    assert int(first) - int(NOW_S) == CREDENTIAL_LIFETIME_S == 86_400
