"""Something goes wrong in a call in virtual time, and the side that hears it says whose fault it was. `scripts/bench culprits` does 200 of these, and a hundred clean minutes."""

import pytest

from blink_cli.lab.culprit_trials import FAULTS, Fault, clean_call, run_trial

pytestmark = pytest.mark.no_clock


@pytest.mark.parametrize("fault", FAULTS)
def test_the_culprit_is_the_one_who_did_it(fault: Fault) -> None:
    trial = run_trial(800 + FAULTS.index(fault), fault)
    assert trial.is_audible, trial
    assert trial.is_right, trial


def test_nobody_is_blamed_while_nothing_is_wrong() -> None:
    assert clean_call(3, minutes=1) == []
