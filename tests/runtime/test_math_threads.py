"""A session computes on the threads that it started itself, and on no others."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from blink_cli.runtime.math_threads import on_one_thread

pytestmark = [
    pytest.mark.no_clock(sockets=True),
    pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc"),
]

COUNT = """
import os, sys
sys.path[:0] = {path!r}
{load}
import numpy
product = numpy.ones((600, 600)) @ numpy.ones((600, 600))
print(len(os.listdir('/proc/self/task')))
"""

SESSION = """
from blink_cli.commands.running import open_session
open_session(None, None, None, None)
assert 'numpy' not in sys.modules
from blink_cli.app.media.voice_path import call_sound
call_sound.SinkMixer
assert 'numpy' in sys.modules
"""


def threads(load: str, environment: Mapping[str, str]) -> int:
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", COUNT.format(path=sys.path, load=load)],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def test_what_a_session_loads_starts_no_thread() -> None:
    assert threads(SESSION, {}) == 1


def test_the_users_choice_stays() -> None:
    if threads("", {"OPENBLAS_NUM_THREADS": "2"}) == 1:
        pytest.skip("this numpy has no threads of its own, or one processor")
    assert threads(SESSION, {"OPENBLAS_NUM_THREADS": "2"}) == 2


def test_the_environment_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    before = dict(os.environ)
    with on_one_thread():
        assert (os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"]) == ("3", "1")
    assert dict(os.environ) == before
