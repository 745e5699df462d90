"""Who speaks another version of the protocol is told once, with a name if one comes soon."""

from blink_cli.core.api.events import ProtocolDiffers
from blink_cli.core.fact import Emit
from blink_cli.core.ids import Did
from blink_cli.core.presence.facts import PresenceFact
from blink_cli.core.presence.other_versions import LASTS_S, MAX_ADDRESSES, WAIT_FOR_NAME_S, OtherVersions

ANNA = Did("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")
AT = "192.0.2.1:40001"


def events(table: OtherVersions, now_s: float) -> list[PresenceFact]:
    return [effect.event for effect in table.handle_timeout(now_s) if isinstance(effect, Emit)]


def test_a_name_that_comes_soon_is_told_with_it_and_nothing_twice() -> None:
    table = OtherVersions(2)
    table.heard(AT, 1, 1, did=None, nickname="", now_s=10.0)
    assert events(table, 10.0) == []
    table.heard(AT, 1, 1, did=ANNA, nickname="anna", now_s=10.5)
    assert events(table, 10.5) == [
        ProtocolDiffers(address=AT, did=ANNA, nickname="anna", lowest=1, highest=1, newer=False)
    ]
    for now_s in (11.0, 20.0):
        table.heard(AT, 1, 1, did=None, nickname="", now_s=now_s)
        assert events(table, now_s) == []
    assert table.next_timeout() is None
    (shown,) = table.snapshot(20.0)
    assert (shown.did, shown.nickname) == (ANNA, "anna")
    assert table.snapshot(20.1 + LASTS_S) == ()


def test_who_does_not_say_who_it_is_is_told_by_its_address() -> None:
    table = OtherVersions(2)
    table.heard(AT, 3, 5, did=None, nickname="", now_s=10.0)
    assert table.next_timeout() == 10.0 + WAIT_FOR_NAME_S
    (event,) = events(table, 10.0 + WAIT_FOR_NAME_S)
    assert isinstance(event, ProtocolDiffers)
    assert (event.address, event.did, event.newer) == (AT, None, True)


def test_addresses_are_bounded() -> None:
    table = OtherVersions(2)
    for number in range(1_000):
        table.heard(f"198.51.100.7:{number}", 3, 3, did=None, nickname="", now_s=1.0)
    assert len(events(table, 9.0)) == len(table.snapshot(9.0)) == MAX_ADDRESSES


def test_addresses_that_are_gone_do_not_keep_a_later_one_from_being_told() -> None:
    table = OtherVersions(2)
    for number in range(MAX_ADDRESSES):
        table.heard(f"198.51.100.7:{number}", 3, 3, did=None, nickname="", now_s=1.0)
    events(table, 9.0)
    later_s = 2.0 + LASTS_S
    table.heard(AT, 1, 1, did=ANNA, nickname="anna", now_s=later_s)
    assert [event.address for event in events(table, later_s) if isinstance(event, ProtocolDiffers)] == [AT]
