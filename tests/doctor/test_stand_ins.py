"""People and places have stand-ins, and can still be told apart."""

import pytest

from blink_cli.doctor.report.stand_ins import StandIns

pytestmark = pytest.mark.no_clock

ANNA = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
BERT = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"


def test_the_same_one_wherever_it_occurs() -> None:
    stand_ins = StandIns(["anna"], "/home/anna")
    stand_ins.learn_from('{"nickname": "bert the \\"great\\"", "nick":"carl"}')
    text = f"anna ({ANNA}) at 192.168.1.7:7667 called bert ({BERT}) and carl; annabel, /home/anna/x; {ANNA}; carl"
    shown = stand_ins.over(text)
    assert shown == (
        "person1 (did:key:anonymous1) at [private address 1]:7667 called bert (did:key:anonymous2) and person3; annabel, ~/x;"
        " did:key:anonymous1; person3"
    )
    assert stand_ins.over("192.168.1.7") == "[private address 1]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("8.8.8.8", "[public address 1]"),
        ("[fe80::1%eth0]:7667", "[[link-local address 1]%eth0]:7667"),
        ("2001:4860::8888", "[public address 1]"),
        ("127.0.0.1 ::1 0.0.0.0 239.255.66.76", "127.0.0.1 ::1 0.0.0.0 239.255.66.76"),
        (
            "2026-11-29T07:24:56.322Z, 300.1.2.3, 1.2.3, 12:30:00",
            "2026-11-29T07:24:56.322Z, 300.1.2.3, 1.2.3, 12:30:00",
        ),
    ],
)
def test_addresses_and_what_only_looks_like_one(text: str, shown: str) -> None:
    assert StandIns([], "/").over(text) == shown
