from blink_cli.core.repeated_trouble import LASTING_S, MOST_TOLD, WINDOW_S, RepeatedTrouble


def test_the_first_ones_are_told_with_their_ends_and_later_ones_are_counted() -> None:
    trouble = RepeatedTrouble()
    for at_s in range(MOST_TOLD):
        assert trouble.begins(float(at_s)) == 0
        assert trouble.ends()
    for at_s in range(10, 20):
        assert trouble.begins(float(at_s)) is None
        assert not trouble.ends()
    assert trouble.begins(WINDOW_S + 20.0) == 10
    assert trouble.ends()


def test_one_that_lasts_is_told_in_any_case() -> None:
    trouble = RepeatedTrouble()
    for at_s in range(MOST_TOLD):
        trouble.begins(float(at_s))
        trouble.ends()
    assert trouble.begins(10.0) is None
    assert trouble.lasts(10.0 + LASTING_S / 2) is None
    assert trouble.lasts(10.0 + LASTING_S) == 0
    assert trouble.lasts(11.0 + LASTING_S) is None
    assert trouble.ends()
