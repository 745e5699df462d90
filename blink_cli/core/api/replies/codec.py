"""Replies about how voice is encoded, and the library that does it."""

from typing import Literal

from blink_cli.core.api.replies.document import ReplyPart, WholeReply


class OpusCopy(ReplyPart, frozen=True):
    """A copy of libopus on this machine."""

    path: str
    origin: str
    """pyav, system or pyogg; named: by BLINK_LIBOPUS."""

    name: str | None = None
    """What it calls itself, for example `libopus 1.6.1`; None, and nothing it can do, of one that is passed over."""

    deep_plc: bool = False
    """Its decoder guesses lost frames by a neural network, where that is asked for."""

    dred: bool = False
    """Its packets can carry up to a second of what was said before."""

    osce: bool = False
    """Its decoder makes low bit rates sound better, where that is asked for."""

    passed_over: str | None = None
    """Why it is not used although it would be: broken, or too old. None of one that works."""


class OpusLibraries(ReplyPart, frozen=True):
    """Which libopus this session codes with, and what else there is."""

    used: OpusCopy
    others: tuple[OpusCopy, ...] = ()
    """They can do no more, or are passed over."""

    concealment: Literal["classic", "deep", "dred"] = "classic"
    """How sound that was lost for good is made up: continued; guessed by a network; or guessed by a network and, where the peer sends it, made of what later
    packets tell of it (DRED)."""


class CodecChosen(ReplyPart, frozen=True):
    """How voice is to be encoded."""

    bitrate: int
    """Bits a second."""

    frame_ms: int | float
    bandwidth: str
    application: str
    fec: str
    """auto, on or off."""

    dtx: bool
    cbr: bool
    redundancy: str
    """auto, or 0 to 4."""

    redundancy_budget: int
    """Kilobits a second of payload that one peer is sent at most, voice and copies; what goes again does not count. 0: no bound."""

    complexity: int
    stereo: bool


class CodecNow(ReplyPart, frozen=True):
    """How it really is encoded, while a call runs."""

    frame_ms: int | float
    mode: str | None
    """speech (SILK), hybrid, or sound (CELT); None before the first packet, as `bandwidth`."""

    bandwidth: str | None
    channels: int
    bitrate: int | None
    """Bits a second of the last second that was encoded, redundancy and headers not counted; None before that is over."""

    fec_loss_percent: int | None
    """The loss, 0 to 100, for which packets carry in-band FEC; None while they carry none."""


class CodecInUse(ReplyPart, frozen=True):
    """The codec's settings."""

    chosen: CodecChosen
    now: CodecNow | None
    """None while no media run."""

    for_this_call: tuple[str, ...] = ()
    """Which of the chosen ones will be others when the call ends."""

    remarks: tuple[str, ...] = ()
    """What these settings cannot do, or cost, in words."""


class CodecShown(WholeReply, frozen=True, tag="codec"):
    """The codec's settings."""

    codec: CodecInUse


class CodecSet(WholeReply, frozen=True, tag="codec_set"):
    """They are so from the next frame on."""

    codec: CodecInUse
    not_remembered: str | None = None
    """Why the next session will not know it; None when it will, or need not."""
