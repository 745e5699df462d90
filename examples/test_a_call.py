"""A test of one's own, with the fixture `blink_lab` that comes with the program.

pytest examples/test_a_call.py
"""

from blink_cli.testing.blink_lab import BlinkLab


def test_a_call_of_two_survives_a_bad_line(blink_lab: BlinkLab) -> None:
    """Alice and bob hear each other, although bob loses every twentieth packet."""
    alice, bob = blink_lab.started("alice", "bob")
    with blink_lab.call(alice, bob) as call:
        bob.impair("in", "loss=5%", "seed=7")
        heard = call.listen(2.0)
        heard.expect_all(delay_ms=400)
        bob.expect("concealed<10%", "delay<300ms", for_s=1)
