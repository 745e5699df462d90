import itertools
import math

from blink_cli.core.media.video.key_frame_wish import BETWEEN_KEYS_S, MOST_AGAIN_S, KeyFrameRule, KeyFrameWish


def test_one_wish_is_asked_for_at_once_and_then_less_and_less_often() -> None:
    wish = KeyFrameWish()
    assert wish.next_at == math.inf
    wish.wish(1.0)
    asked = []
    now_s = 1.0
    while now_s < 12:
        if wish.asks(now_s, 0.1):
            asked.append(now_s)
        wish.wish(now_s)
        now_s += 0.01
    between = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert asked[0] == 1.0
    assert between == sorted(between)
    assert between[-1] < MOST_AGAIN_S + 0.2
    wish.granted()
    assert not wish.is_open


def test_all_who_ask_within_a_moment_get_one_key_frame() -> None:
    rule = KeyFrameRule()
    rule.made(0.0)
    for _ in range(5):
        rule.wanted()
    assert not rule.due(0.1)
    assert rule.due(BETWEEN_KEYS_S)
    rule.made(BETWEEN_KEYS_S)
    assert not rule.due(10.0)
