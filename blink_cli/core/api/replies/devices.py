"""Replies about microphones and speakers, and how whole their sound is."""

from blink_cli.core.api.replies.document import ReplyPart, WholeReply


class Clocks(ReplyPart, frozen=True):
    """Which second of the input is being captured and which of the output is being played, at one monotonic time."""

    monotonic_s: float
    input_position_s: float | None
    """None while the input does not run."""

    output_position_s: float | None


class InputChannels(ReplyPart, frozen=True):
    """What becomes of the channels of a microphone, or a file, that has several."""

    channels: int
    chosen: int | None
    """The only one that is sent, from 1, because `?channel=` said so; None: all that carry something."""

    loudest: int
    """From 1."""

    below_db: float
    """How much softer than the loudest channel is what is sent."""

    warning: str | None
    """A sentence, if that is 6 dB or more."""


class CaptureFigures(ReplyPart, frozen=True):
    """How whole the sound of the microphone is, since the call's media began."""

    gaps: int
    """Times that sound was missing."""

    missing_s: float
    """What was missing: not captured, lost, or delivered when its time was over. Nothing was sent for it."""

    late_s: float
    """Of that, what was delivered when its time was over."""

    last_gap_at_s: float | None
    """When the last gap of 40 ms or more began: monotonic, as `clocks.monotonic_s`."""

    last_gap_s: float | None
    """How long it lasted."""

    channels: InputChannels | None = None
    """None of a device that has but one."""

    clipped_frames: int = 0
    """Frames of 20 ms, before any filter, in which the microphone was at full scale for several samples: too loud for its gain, and distorted."""

    frames: int = 0
    """All frames that were captured, sent or not."""


class MixFigures(ReplyPart, frozen=True):
    """What is played: everybody together, turned down where that is louder than full scale."""

    limited_s: float
    """For how long it was turned down, since the call's media began. Nothing is distorted meanwhile."""

    limited_now_db: float
    """By how much it is turned down now; 0: not."""

    deep_concealed_s: float = 0.0
    """Lost sound, of all participants, that was guessed by the networks of libopus (`concealment` of `status`)."""

    deep_refused_s: float = 0.0
    """Lost sound that was guessed the classic way although there are networks: more was lost at once than a tick has time for."""


class DeviceAt(ReplyPart, frozen=True):
    """A sink or source of the sound server."""

    name: str
    description: str | None
    """What people call it."""

    port: str | None = None
    """What it is plugged into, such as "Headphones"; null where it has no ports."""


class DeviceSet(WholeReply, frozen=True, tag="device_set"):
    """The device in use now."""

    direction: str
    device: str
    not_remembered: str | None = None
    """Why the choice could not be written down: the next session will not know it. Files and tones are of one session anyway."""


class DeviceFigures(ReplyPart, frozen=True):
    """One device of this session and the thread that serves it."""

    device: str
    latency_ms: float
    """From the microphone to the program, or from the program to the speaker, as far as the system knows; queues included."""

    lost_ms: float
    """Captured and overwritten before it was read, or due and not there to be played."""

    late_ticks: int
    """Steps of 10 ms that ran later than the next one was due."""

    lateness_p99_ms: float
    """99 of 100 steps ran at most this much later than they were due."""
