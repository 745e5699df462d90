"""Members who always talk do not keep the others from being heard: many rooms with seeds, in virtual time."""

import random

import pytest

from blink_cli.core.ids import Did
from blink_cli.core.media.room_slots import LONG_TALK_S, RoomSlots

NOISY = [Did(f"did:key:noisy{number}") for number in range(4)]
QUIET = [Did(f"did:key:quiet{number}") for number in range(6)]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("pauses", [False, True])
def test_who_begins_to_talk_is_heard_beside_members_who_always_talk(seed: int, *, pauses: bool) -> None:
    dice = random.Random(seed)
    slots = RoomSlots(4)
    for who in (*NOISY, *QUIET):
        slots.add(who)
    for who in NOISY:
        slots.talks(who, talking=True, now_s=0.0)
    assert set(slots.assigned.values()) == set(NOISY)
    now_s = LONG_TALK_S
    for _ in range(200):
        now_s += dice.uniform(0.5, 4.0)
        speaker = dice.choice(QUIET)
        slots.talks(speaker, talking=True, now_s=now_s)
        assert slots.slot_of(speaker) is not None, f"seed {seed}, {now_s:.1f} s"
        now_s += dice.uniform(0.5, 4.0)
        if pauses:  # to seem to begin anew
            noisy = dice.choice(NOISY)
            slots.talks(noisy, talking=False, now_s=now_s)
            slots.talks(noisy, talking=True, now_s=now_s)
        assert slots.slot_of(speaker) is not None, "nobody who has just begun is displaced"
        slots.talks(speaker, talking=False, now_s=now_s)
        assert len(slots.assigned) == 4
