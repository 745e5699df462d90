"""Group audio calls between terminals, without a server, that one can hear, record, measure and script.

    import blink_cli as blink

    async with blink.open_session(profile="alice", input="file:speech.wav", output="wav:heard.wav") as session:
        async with await session.offer("bob", wait_s=10) as call:
            await session.expect("loss<1%", "talking(bob)", for_s=5)

docs/api.md tells all of it. Importing this loads nothing else: each name comes from its module when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from blink_cli.api import cli, replies
    from blink_cli.api.call import Call
    from blink_cli.api.checking import ExpectationError
    from blink_cli.api.command_line import run_command
    from blink_cli.api.documents import AssertReport, DeviceList
    from blink_cli.api.event_stream import EventStream
    from blink_cli.api.json_documents import to_json
    from blink_cli.api.opening import connect, open_session
    from blink_cli.api.schemas import json_schema, schema_names
    from blink_cli.api.session import Session
    from blink_cli.api.tools import analyze_capture, analyze_rtp_log, list_devices, sample_speech, score
    from blink_cli.app.media.sound_taps import SoundFrame, SoundTap
    from blink_cli.core.api import events, requests
    from blink_cli.core.api.session_options import CodecOptions
    from blink_cli.core.errors import (
        BlinkError,
        CameraError,
        DeviceError,
        IdentityError,
        NoSessionError,
        NotFoundError,
        NotInstalledError,
        StateError,
        UsageError,
    )
    from blink_cli.core.media.processing_settings import EchoCancel, NoiseSuppress, ProcessingChoice
    from blink_cli.core.media.tap_point import TapPoint

__version__: Final = "0.1.0"
"""Of the program; the package's metadata are made of it."""

_ERRORS: Final = "blink_cli.core.errors"

_MODULES: Final = {
    "AssertReport": "blink_cli.api.documents",
    "BlinkError": _ERRORS,
    "Call": "blink_cli.api.call",
    "CameraError": _ERRORS,
    "CodecOptions": "blink_cli.core.api.session_options",
    "DeviceError": _ERRORS,
    "DeviceList": "blink_cli.api.documents",
    "EchoCancel": "blink_cli.core.media.processing_settings",
    "EventStream": "blink_cli.api.event_stream",
    "ExpectationError": "blink_cli.api.checking",
    "IdentityError": _ERRORS,
    "NoSessionError": _ERRORS,
    "NoiseSuppress": "blink_cli.core.media.processing_settings",
    "NotFoundError": _ERRORS,
    "NotInstalledError": _ERRORS,
    "ProcessingChoice": "blink_cli.core.media.processing_settings",
    "Session": "blink_cli.api.session",
    "SoundFrame": "blink_cli.app.media.sound_taps",
    "SoundTap": "blink_cli.app.media.sound_taps",
    "StateError": _ERRORS,
    "TapPoint": "blink_cli.core.media.tap_point",
    "UsageError": _ERRORS,
    "analyze_capture": "blink_cli.api.tools",
    "analyze_rtp_log": "blink_cli.api.tools",
    "connect": "blink_cli.api.opening",
    "json_schema": "blink_cli.api.schemas",
    "list_devices": "blink_cli.api.tools",
    "open_session": "blink_cli.api.opening",
    "run_command": "blink_cli.api.command_line",
    "sample_speech": "blink_cli.api.tools",
    "schema_names": "blink_cli.api.schemas",
    "score": "blink_cli.api.tools",
    "to_json": "blink_cli.api.json_documents",
}

_NAMESPACES: Final = {
    "cli": "blink_cli.api.cli",
    "events": "blink_cli.core.api.events",
    "replies": "blink_cli.api.replies",
    "requests": "blink_cli.core.api.requests",
}

__all__ = [
    "AssertReport",
    "BlinkError",
    "Call",
    "CameraError",
    "CodecOptions",
    "DeviceError",
    "DeviceList",
    "EchoCancel",
    "EventStream",
    "ExpectationError",
    "IdentityError",
    "NoSessionError",
    "NoiseSuppress",
    "NotFoundError",
    "NotInstalledError",
    "ProcessingChoice",
    "Session",
    "SoundFrame",
    "SoundTap",
    "StateError",
    "TapPoint",
    "UsageError",
    "analyze_capture",
    "analyze_rtp_log",
    "cli",
    "connect",
    "events",
    "json_schema",
    "list_devices",
    "open_session",
    "replies",
    "requests",
    "run_command",
    "sample_speech",
    "schema_names",
    "score",
    "to_json",
]


if not TYPE_CHECKING:  # else any name would do for a type checker

    def __getattr__(name: str) -> Any:
        if name in _NAMESPACES:
            return import_module(_NAMESPACES[name])
        if name in _MODULES:
            return getattr(import_module(_MODULES[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
