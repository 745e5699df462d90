"""Who sees nobody is told where was looked, and what may be in the way."""

from msgspec.structs import replace

from blink_cli.core.presence.reach import Reach, why_nobody

LAN = Reach("239.255.66.76:7667", ("eth0",), (), restricted=False, neighbours=0)


def told(reach: Reach, *, heard: int = 0, other: int = 0, discovery: bool = True) -> str:
    return why_nobody(reach, heard=heard, other=other, discovery=discovery)


def test_a_network_on_which_nothing_came() -> None:
    sentence = told(LAN)
    assert "eth0" in sentence
    assert "239.255.66.76:7667" in sentence
    assert "Nothing has come" in sentence
    assert "--neighbour" in sentence


def test_no_network_at_all_and_none_that_was_chosen() -> None:
    assert "No interface but loopback" in told(replace(LAN, networks=()))
    assert "--interface" in told(replace(LAN, networks=(), restricted=True))


def test_what_was_refused_is_named_with_its_reason_and_many_names_are_counted() -> None:
    refused = tuple((f"br{number}", "No buffer space available") for number in range(9))
    sentence = told(replace(LAN, refused=(*refused, ("tun0", "No such device"))))
    assert "br0, br1, br2, br3 and 5 more: No buffer space available; tun0: No such device" in sentence


def test_another_program_on_the_group_is_not_taken_for_silence() -> None:
    assert "another program" in told(LAN, heard=7, other=7)
    assert "another program" not in told(LAN, heard=7, other=3)


def test_who_hides_is_told_so_and_who_has_neighbours_is_not_told_of_them() -> None:
    assert "--no-discovery" in told(LAN, discovery=False)
    assert "--neighbour" not in told(replace(LAN, neighbours=1))


def test_few_names_are_all_written() -> None:
    assert "a, b, c, d and e," in told(replace(LAN, networks=("a", "b", "c", "d", "e")))


def test_who_speaks_another_version_is_named_instead() -> None:
    said = ("anna at 192.0.2.1:1 speaks a newer version", "a session at 192.0.2.2:2 speaks an older version")
    sentence = why_nobody(LAN, heard=9, other=9, discovery=True, other_versions=said)
    assert sentence == f"anna at 192.0.2.1:1 speaks a newer version. A{said[1][1:]}. Nobody else is here."
    assert "and 0 more" not in sentence
    assert why_nobody(LAN, heard=9, other=9, discovery=True, other_versions=said[:1] * 7).endswith(
        "So do 3 more."
    )
