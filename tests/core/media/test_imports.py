"""RTP's arithmetic is pure: who imports it gets no WebRTC stack, codec or event loop with it."""

import pkgutil
import subprocess
import sys

import pytest

import blink_cli.core.media

HEAVY = {"aiortc", "aioice", "av", "numpy", "pylibsrtp", "asyncio", "sounddevice", "soundfile"}


@pytest.mark.no_clock(sockets=True)  # it starts an interpreter
def test_no_module_of_media_loads_a_library_for_media() -> None:
    names = [
        found.name for found in pkgutil.iter_modules(blink_cli.core.media.__path__, "blink_cli.core.media.")
    ]
    assert {
        f"blink_cli.core.media.{name}"
        for name in ("rtp_sender", "rtp_receiver", "rtcp_exchange", "unwrapper")
    } <= {*names}
    program = f"import sys, {', '.join(names)}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
