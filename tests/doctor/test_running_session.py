"""What is said of the session of the profile."""

import os
from pathlib import Path

import pytest

from blink_cli.app.profile.profile import find_profile
from blink_cli.app.profile.profile_lock import LOCK_NAME, ProfileLock
from blink_cli.app.profile.settings import Settings
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.doctor.running_session import look
from blink_cli.doctor.situation import SessionTrouble, Situation

pytestmark = pytest.mark.no_clock


def situation(folder: Path, session: SessionTrouble | None = None) -> Situation:
    return Situation(find_profile("anna", folder, {}), SessionOptions(), Settings(), session, "1")


def test_a_profile_that_nobody_holds(tmp_path: Path) -> None:
    (found,) = look(situation(tmp_path))
    assert found.ok is True


def test_a_profile_that_is_held_by_who_does_not_answer(tmp_path: Path) -> None:
    here = situation(tmp_path)
    here.profile.make()
    with ProfileLock.take(here.profile.runtime_dir / LOCK_NAME, profile="anna"):
        (found,) = look(here)
    assert found.ok is False
    assert f"process {os.getpid()} holds the profile" in found.found
    (found,) = look(here)
    assert found.ok is True


def test_a_session_that_is_stuck(tmp_path: Path) -> None:
    (found,) = look(situation(tmp_path, SessionTrouble("it is stopped, or stuck")))
    assert (found.ok, "stuck" in found.found) == (False, True)
