"""What was chosen of echo canceller, noise suppressor and gain control is known to the next session of the profile."""

from pathlib import Path

import pytest

from blink_cli.app.profile.processing_memory import ProcessingMemory
from blink_cli.app.profile.profile import Profile
from blink_cli.core.media.processing_settings import (
    EchoCancel,
    NoiseSuppress,
    ProcessingChoice,
    ProcessingSettings,
)

pytestmark = pytest.mark.no_clock


@pytest.fixture
def memory(tmp_path: Path) -> ProcessingMemory:
    return ProcessingMemory(Profile("anna", tmp_path, tmp_path))


def test_each_choice_is_kept_beside_the_others(memory: ProcessingMemory) -> None:
    assert memory.chosen() == ProcessingChoice()
    memory.remember(ProcessingChoice(echo_cancel=EchoCancel.OFF))
    memory.remember(ProcessingChoice(noise_suppress=NoiseSuppress.LOW))
    memory.remember(ProcessingChoice(auto_gain=True))
    memory.remember(ProcessingChoice(noise_suppress=NoiseSuppress.HIGH))
    assert memory.chosen() == ProcessingChoice(EchoCancel.OFF, NoiseSuppress.HIGH, auto_gain=True)


def test_what_nobody_chose_is_as_ever(memory: ProcessingMemory) -> None:
    memory.remember(ProcessingChoice(auto_gain=True))
    assert memory.chosen().over(ProcessingSettings()) == ProcessingSettings(auto_gain=True)


def test_an_option_counts_more_than_what_is_remembered(memory: ProcessingMemory) -> None:
    memory.remember(ProcessingChoice(EchoCancel.ON, NoiseSuppress.LOW))
    option = ProcessingChoice(echo_cancel=EchoCancel.OFF)
    assert option.over(memory.chosen().over(ProcessingSettings())) == ProcessingSettings(
        EchoCancel.OFF, NoiseSuppress.LOW
    )


@pytest.mark.parametrize("content", ['{"echo_cancel": "loud"}', '{"auto_gain": 7', "[]", "\xff"])
def test_a_damaged_file_is_no_memory_and_is_replaced(
    memory: ProcessingMemory, tmp_path: Path, content: str
) -> None:
    (tmp_path / "processing.json").write_text(content, encoding="latin-1")
    assert memory.chosen() == ProcessingChoice()
    memory.remember(ProcessingChoice(auto_gain=False))
    assert memory.chosen() == ProcessingChoice(auto_gain=False)
