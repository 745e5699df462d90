"""Interfaces by which media are told stay few: docs/architecture.md says how they are counted."""

import inspect

import pytest

from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.media.voice_path import VoiceEvents
from blink_cli.core.media.media_tap import MediaTap
from blink_cli.net.link.link_events import LinkEvents

pytestmark = pytest.mark.no_clock

MOST_METHODS = 18


def methods(interface: type) -> set[str]:
    found = (name for name, _ in inspect.getmembers(interface, inspect.isfunction))
    return {name for name in found if not name.startswith("_")}


def test_they_have_at_most_eighteen_methods_together() -> None:
    told = methods(LinkEvents), methods(VoiceEvents), methods(MediaTap) - {"tap_failed"}
    assert sum(map(len, told)) <= MOST_METHODS, told


def test_those_who_listen_in_are_told_all_of_theirs() -> None:
    assert methods(MediaTap) - {"tap_failed"} <= methods(MediaTaps)
