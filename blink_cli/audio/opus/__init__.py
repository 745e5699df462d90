"""Opus through libopus itself: what PyAV leaves out (FEC, concealment, controls) is what a voice call needs."""

from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.audio.opus.encoder import OpusEncoder
from blink_cli.audio.opus.library import library_version

__all__ = ["OpusDecoder", "OpusEncoder", "library_version"]
