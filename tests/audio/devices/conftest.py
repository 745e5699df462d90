"""The sound server of all tests in this folder."""

from collections.abc import Iterator

import pytest

from tests.support.sound_server import SoundServer, sound_system


@pytest.fixture(scope="package")
def sound_server() -> Iterator[SoundServer]:
    """A PulseAudio with the null sinks `left` and `right`, which is also this process's sound system."""
    with SoundServer("left", "right") as server, sound_system(server):
        yield server
