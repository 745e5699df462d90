"""`blink_cli.replies` and `blink_cli.events` have every class that programs can be answered or told."""

import inspect
import pkgutil
from importlib import import_module

import msgspec
import pytest

import blink_cli as blink
from blink_cli.core.api import replies
from blink_cli.core.api.replies.document import ReplyPart, WholeReply

pytestmark = pytest.mark.no_clock


def test_every_class_of_a_reply_is_in_replies() -> None:
    standing = {
        name
        for module in pkgutil.iter_modules(replies.__path__)
        for name, kind in inspect.getmembers(
            import_module(f"{replies.__name__}.{module.name}"), inspect.isclass
        )
        if issubclass(kind, msgspec.Struct)
        and kind not in {WholeReply, ReplyPart}
        and kind.__module__.startswith(replies.__name__)
    }
    assert len(standing) > 70
    assert standing <= set(blink.replies.__all__)


def test_every_event_is_in_events() -> None:
    assert {kind.__name__ for kind in blink.events.Event.__args__} <= set(blink.events.__all__)
