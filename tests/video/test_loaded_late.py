"""A session, a prompt and `watch` load nothing of pictures until there are some."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.in_pairs

PARTS = "blink_cli.app.session, blink_cli.commands.repl, blink_cli.commands.full_screen, blink_cli.app.files.recordings"


def test_nothing_of_pictures_is_loaded_before_there_are_some() -> None:
    names = "('blink_cli.video', 'blink_cli.commands.show.pictures', 'blink_cli.record.mp4.picture_stream')"
    script = f"import sys, {PARTS}; print([name for name in sys.modules if name.startswith({names})])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout.strip() == "[]"
