"""What the playout buffer needs of a decoder."""

from typing import Protocol

from blink_cli.audio.playout.block import Block


class FrameDecoder(Protocol):
    """What the buffer needs of `OpusDecoder`; arrays are float32 at 48 kHz, one dimension."""

    def decode(self, payload: bytes) -> Block:
        """The sound of the next frame. Raises `DeviceError` when the payload is invalid."""
        ...

    def decode_fec(self, next_payload: bytes, samples: int) -> Block:
        """The sound of the frame before `next_payload`."""
        ...

    def conceal(self, samples: int) -> Block:
        """A guess at what is missing."""
        ...

    def dred_samples(self, payload: bytes) -> int:
        """How much sound right before the packet it tells of (DRED); 0: none."""
        ...

    def told_by_dred(self, payload: bytes, before_samples: int, samples: int) -> Block | None:
        """What that packet tells of the sound that began `before_samples` before it; None if there is no time to make it."""
        ...

    def reset(self) -> None:
        """Forget the sound so far."""
        ...
