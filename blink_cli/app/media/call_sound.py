"""What the sound of a call is made of. Imports all of it, numpy too: on demand, since a session that waits needs none (`VoicePath`)."""

from blink_cli.audio.loudness.loudness_thread import LoudnessThread
from blink_cli.audio.opus.adjustable_encoder import AdjustableEncoder
from blink_cli.audio.playout.concealment import voice_decoder
from blink_cli.audio.playout.playout_buffer import PlayoutBuffer
from blink_cli.audio.processing.chain import CaptureChain
from blink_cli.audio.processing.far_reference import FarReference
from blink_cli.audio.sink_mixer import SinkMixer
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.audio.source_track import SourceTrack

__all__ = [
    "AdjustableEncoder",
    "CaptureChain",
    "FarReference",
    "LoudnessThread",
    "PlayoutBuffer",
    "SinkMixer",
    "SinkTrack",
    "SourceTrack",
    "voice_decoder",
]
