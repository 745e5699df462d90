"""Who talks has a slot."""

from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.ids import Did
from blink_cli.core.media.room_slots import RoomSlots

PEOPLE = [Did(f"did:key:{name}") for name in "abcdefgh"]
A, B, C, D = PEOPLE[:4]


def full(size: int, people: int) -> RoomSlots:
    slots = RoomSlots(size)
    for person in PEOPLE[:people]:
        slots.add(person)
    return slots


def test_the_first_to_come_have_the_slots() -> None:
    slots = full(2, 3)
    assert slots.assigned == {0: A, 1: B}
    slots.remove(A)
    assert slots.assigned == {0: C, 1: B}


def test_who_talks_takes_the_slot_of_who_is_silent_longest() -> None:
    slots = full(2, 4)
    slots.talks(A, talking=True, now_s=1)
    slots.talks(A, talking=False, now_s=2)
    slots.talks(C, talking=True, now_s=3)
    assert slots.assigned == {0: A, 1: C}  # B never talked
    slots.talks(D, talking=True, now_s=4)
    assert slots.assigned == {0: D, 1: C}


def test_if_all_talk_the_next_waits_for_the_first_who_stops() -> None:
    slots = full(2, 4)
    for now_s, person in enumerate((A, B, C, D)):
        slots.talks(person, talking=True, now_s=now_s)
    assert slots.assigned == {0: A, 1: B}
    slots.talks(B, talking=False, now_s=9)
    assert slots.assigned == {0: A, 1: C}
    slots.talks(D, talking=False, now_s=9)
    slots.talks(A, talking=False, now_s=10)
    assert slots.assigned == {0: A, 1: C}


def test_one_for_everybody_while_it_is_recorded() -> None:
    slots = full(2, 5)
    slots.resize(None)
    assert sorted(slots.assigned.values()) == PEOPLE[:5]
    slots.resize(1)
    assert slots.assigned == {0: A}


@given(st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(["add", "remove", "talk", "stop"]))))
def test_no_slot_is_empty_or_silent_while_somebody_who_talks_waits(
    moves: list[tuple[Did, str]],
) -> None:
    slots = RoomSlots(3)
    present, talking = set[Did](), set[Did]()
    for now_s, (person, move) in enumerate(moves):
        if move == "add":
            slots.add(person)
            present.add(person)
        elif move == "remove":
            slots.remove(person)
            present.discard(person)
            talking.discard(person)
        else:
            slots.talks(person, talking=move == "talk", now_s=now_s)
            (talking.add if move == "talk" and person in present else talking.discard)(person)
        assigned = slots.assigned
        assert set(assigned) <= {0, 1, 2}
        assert len(set(assigned.values())) == len(assigned) == min(3, len(present))
        waiting = talking - set(assigned.values())
        assert not waiting or set(assigned.values()) <= talking
