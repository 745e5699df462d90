"""Opus through libopus itself: what PyAV leaves out (FEC, concealment, controls) is what a voice call needs."""

from blink_cli.audio.opus.choice import Copy
from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.audio.opus.encoder import OpusEncoder
from blink_cli.audio.opus.library import library_version, used_library

__all__ = ["Copy", "OpusDecoder", "OpusEncoder", "library_version", "used_library"]
