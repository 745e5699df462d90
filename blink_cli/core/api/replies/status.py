"""Replies about the session itself: its state, and the last steps of its rules."""

from blink_cli.core.api.replies.calls import CurrentCall, PendingCall
from blink_cli.core.api.replies.codec import CodecInUse, OpusLibraries
from blink_cli.core.api.replies.devices import CaptureFigures, Clocks, DeviceAt, MixFigures
from blink_cli.core.api.replies.document import ReplyPart, WholeReply
from blink_cli.core.api.replies.impairment import ImpairmentState
from blink_cli.core.api.replies.network import NetworkUse, SignalCounters
from blink_cli.core.api.replies.peers import HeardPeer, OtherVersion, WrongClock
from blink_cli.core.api.replies.processing import ProcessingState
from blink_cli.core.api.replies.video import VideoState
from blink_cli.core.call.traced_step import TracedStep
from blink_cli.core.ids import Did


class MachineState(ReplyPart, frozen=True):
    """Whether this machine keeps up with its call, in the last seconds."""

    overloaded: bool
    reason: str | None
    """Why, while it is overloaded."""

    late_ticks: float | None
    """Share of the voice threads' steps of 10 ms that ran later than the next one was due, 0 to 1."""

    loop_late_ms: float | None
    """The longest that the event loop, over which packets pass, kept something waiting."""

    processors_busy: float | None
    """Share of all processors in use, 0 to 1, by whatever program; None where the system does not tell."""

    processors_stolen: float | None
    """Share that the host of a virtual machine took away."""


class Status(WholeReply, frozen=True, tag="status"):
    """Snapshot of the session."""

    profile: str
    did: Did
    nickname: str
    pid: int
    input: str
    output: str
    muted: bool
    deafened: bool
    clocks: Clocks
    call: CurrentCall | None
    pending_calls: tuple[PendingCall, ...]
    signals: SignalCounters | None = None
    input_place: DeviceAt | None = None
    """The source of the sound server that is really used; null for devices that are not the server's."""

    output_place: DeviceAt | None = None
    machine: MachineState | None = None
    """None while no media run."""
    wrong_clocks: tuple[WrongClock, ...] = ()
    """Peers whose clocks differ from this one by a minute or more."""
    capture: CaptureFigures | None = None
    """None while the microphone does not run."""
    opus: OpusLibraries | None = None
    """The library that codes the sound: of those on this machine the one that can do most. None if there is none."""
    other_versions: tuple[OtherVersion, ...] = ()
    """Sessions heard lately that speak another version of the protocol."""
    processing: ProcessingState | None = None
    """What is done to the microphone's sound before it is encoded. None from an older build."""

    codec: CodecInUse | None = None
    """How voice is encoded; None of a session of an earlier version."""
    volumes: tuple[HeardPeer, ...] = ()
    """Peers whose gain or mute was set here, in the call or not."""
    mix: MixFigures | None = None
    """None while no media run."""

    log: str | None = None
    """The file in which this session logs; null where none can be kept."""

    network: NetworkUse | None = None
    missed_input: str | None = None
    """The microphone that was chosen, while another one, or silence, is used in its place; null if it is used."""

    missed_output: str | None = None
    """The speaker, likewise."""

    video: VideoState | None = None
    """The camera and pictures; null: nobody wanted any in this session."""

    impairment: ImpairmentState | None = None
    """What `impair` does to the datagrams of links; null: nothing."""


class Trace(WholeReply, frozen=True, tag="trace"):
    """The last steps of the rules of calls. Group keys and passwords in it are replaced by others. `scripts/simulate --replay FILE` plays it again."""

    did: Did
    """Of this session."""

    first: int
    """The number of its first step. Only a trace from 0 on, where the session begins, can be played again."""

    more: bool
    """Whether there are later steps than these."""

    steps: tuple[TracedStep, ...]
