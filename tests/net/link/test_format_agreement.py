"""What both sides of a link agree on, from what each knows and allows."""

import msgspec
import pytest

from blink_cli.core.errors import WireError
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.net.link import header_encryption
from blink_cli.net.link.format_agreement import accepted_format, answered_format, offered_format
from blink_cli.net.link_settings import LinkSettings

pytestmark = pytest.mark.no_clock

EVERYTHING = LinkSettings(dred=1)


@pytest.mark.parametrize(
    "settings",
    [
        EVERYTHING,
        LinkSettings(redundancy=False),
        LinkSettings(audio_level=False),
        LinkSettings(retransmission=False),
    ],
)
def test_what_one_side_does_not_want_is_agreed_by_neither(settings: LinkSettings) -> None:
    one_way = answered_format(offered_format(EVERYTHING), settings)
    other_way = answered_format(offered_format(settings), EVERYTHING)
    for agreed, offered in ((one_way, offered_format(EVERYTHING)), (other_way, offered_format(settings))):
        assert accepted_format(agreed, offered) == agreed
        assert (agreed.red is not None) == settings.redundancy
        assert (agreed.rtx is not None) == agreed.nack == settings.retransmission
    assert other_way.level_id is not None if settings.audio_level else other_way.level_id is None
    assert (one_way.dred, other_way.dred) == (settings.dred, settings.dred)


def test_the_level_is_encrypted_where_both_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header_encryption, "is_available", lambda: True)
    offered = offered_format(EVERYTHING)
    agreed = answered_format(offered, EVERYTHING)
    assert (agreed.audio_level_id, agreed.encrypted_level_id) == (None, offered.encrypted_level_id)
    monkeypatch.setattr(header_encryption, "is_available", lambda: False)
    assert offered_format(EVERYTHING).encrypted_level_id is None
    agreed = answered_format(offered, EVERYTHING)
    assert (agreed.audio_level_id, agreed.encrypted_level_id) == (offered.audio_level_id, None)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"opus": 96}, "payload types"),
        ({"red": 96}, "payload types"),
        ({"rtx": 96}, "retransmissions"),
        ({"audio_level_id": 9, "encrypted_level_id": None}, "header extension"),
        ({"encrypted_level_id": 9, "audio_level_id": None}, "encrypted header extension"),
        ({"audio_level_id": 1, "encrypted_level_id": 2}, "twice"),
    ],
)
def test_an_answer_with_what_was_not_offered_is_refused(changes: dict[str, int | None], says: str) -> None:
    offered = MediaFormat(111, 63, 1, encrypted_level_id=2, nack=True, rtx=97)
    with pytest.raises(WireError, match=says):
        accepted_format(msgspec.structs.replace(offered, **changes), offered)


def test_another_version_of_dred_is_not_used() -> None:
    offered = offered_format(EVERYTHING)
    answered = answered_format(offered, EVERYTHING)
    assert accepted_format(msgspec.structs.replace(answered, dred=2), offered).dred is None
