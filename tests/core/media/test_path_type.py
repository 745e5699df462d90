"""The kind of a way is the less direct of its ends."""

import pytest

from blink_cli.core.media.path_type import path_type


@pytest.mark.parametrize(
    ("local", "remote", "kind"),
    [
        ("host", "host", "host"),
        ("host", "srflx", "srflx"),
        ("prflx", "host", "srflx"),
        ("relay", "srflx", "relay"),
        ("host", "relay", "relay"),
    ],
)
def test_path_type(local: str, remote: str, kind: str) -> None:
    assert path_type(local, remote) == kind
