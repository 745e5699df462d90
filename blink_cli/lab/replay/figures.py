"""What `lab replay` prints. Light: no sound is needed to know its names. A figure that cannot be had is None."""

import msgspec


class PlayoutFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How one stream was played."""

    concealed_share: float | None
    """Made-up and skipped sound of all that was played, 0 to 1."""

    concealed_ms: float
    concealment_events: int
    skipped_ms: float
    """Of the concealed sound: what was left out, so that later sound is heard in time."""

    mean_delay_ms: float | None
    """In the buffer, from a packet's arrival to playing."""

    mean_target_ms: float | None
    shortened_ms: float
    lengthened_ms: float
    packets_received: int
    packets_discarded: int
    """Late ones, and those that were dropped unplayed."""

    recovered: int
    """Frames that a copy or FEC replaced in time."""


class ReplayedPeer(msgspec.Struct, frozen=True, kw_only=True):
    """One stream."""

    peer: str
    track: int
    from_beginning: bool
    """Whether the log has it from its beginning. Of one that began before the log, the replay begins with an empty buffer."""

    ticks: int
    ticks_same: int
    """Whose 10 ms are the very samples that the session decoded."""

    heard: PlayoutFigures
    changed: PlayoutFigures | None
    """With the other settings; None without any."""

    wav: str | None
    changed_wav: str | None


class ReplayedSpeaker(msgspec.Struct, frozen=True, kw_only=True):
    """One output device, of those that the call used one after the other."""

    name: str
    ticks: int
    ticks_same: int
    """Whose 10 ms are the very samples that the device was given."""

    wav: str | None
    changed_wav: str | None


class ReplayFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A call, played again."""

    path: str
    call: str
    duration_s: float
    opus: str
    """The libopus with which the session decoded."""

    opus_here: str
    is_same: bool
    """Whether every tick is what was heard: of the streams, and of the speakers."""

    is_whole: bool
    """Whether the log has its end, and nothing is missing in it."""

    ticks_lost: int
    lines_unreadable: int
    settings: dict[str, float]
    """Of the playout, as they were."""

    changed_settings: dict[str, float] | None
    speakers: tuple[ReplayedSpeaker, ...]
    peers: tuple[ReplayedPeer, ...]
    decisions: str | None
    """The file that tells what the playout did, as the session's own would."""

    changed_decisions: str | None
