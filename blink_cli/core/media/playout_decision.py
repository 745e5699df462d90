"""What the playout did with sound and packets, and why: one value for each thing that was done. Told only while somebody logs."""

import enum

import msgspec


class PlayoutAction(enum.StrEnum):
    """What was done."""

    PLAYED = "played"
    """A frame of its own packet."""

    COPY = "copy"
    """A frame of a redundant copy (RED)."""

    RESENT = "resent"
    """A frame whose packet was lost, and came again because it was asked for."""

    FEC = "fec"
    """A frame that the one after it holds again (Opus in-band FEC)."""

    DRED = "dred"
    """A frame of which a later packet tells at a few hundred bits (deep redundancy), made by a network."""

    CONCEALED = "concealed"
    """Sound was made up."""

    BACKGROUND = "background"
    """The background of the sender's pause was played on."""

    SHORTENED = "shortened"
    """Sound was left out, so that what follows is heard sooner."""

    LENGTHENED = "lengthened"
    """Sound was repeated, so that what follows may come later."""

    SKIPPED = "skipped"
    """Sound that was sent was left out, and play went on behind it."""

    WAITED = "waited"
    """Nothing was played, and frames wait."""

    SLEPT = "slept"
    """Nothing was played, and nothing waits."""

    SILENCED = "silenced"
    """The device got silence in place of what was mixed; of all streams together."""

    LATE = "late"
    """A packet came whose frame's time was over."""

    DUPLICATE = "duplicate"
    """A packet came again."""

    DISCARDED = "discarded"
    """A packet was dropped unplayed."""

    BEGAN = "began"
    """Another stream began: what was known of the one before was forgotten."""


class PlayoutReason(enum.StrEnum):
    """Why."""

    IN_TIME = "in_time"
    """It was there when it was needed."""

    MISSING = "missing"
    """A packet has not come in time, and a later one has."""

    NOTHING_CAME = "nothing_came"
    """Neither this packet nor a later one has come: late, or lost, or the sender is gone."""

    TOO_EARLY = "too_early"
    """The delay is below its target: what is missing is waited for, and the delay grows."""

    NETWORK_STANDS_STILL = "network_stands_still"
    """Nothing has come for 80 ms: media time stands still until something does."""

    UNDECODABLE = "undecodable"
    """The payload is no Opus, or no RED."""

    PAUSE = "pause"
    """The sender pauses: DTX, mute, or digital silence."""

    OVER_TARGET = "over_target"
    """The delay is above its target."""

    UNDER_TARGET = "under_target"
    """The delay is below its target."""

    OVERDUE = "overdue"
    """It had waited longer than sound may wait."""

    RESUMED = "resumed"
    """What came after the network had stood still was due before what was missing."""

    NOT_DUE = "not_due"
    """The first frame of a stream, or of a talk spurt, waits for its time."""

    FELL_ASLEEP = "fell_asleep"
    """Nothing has come for a second (in a pause: two)."""

    DEVICE_STOOD_STILL = "device_stood_still"
    """The device wanted nothing for a while, and gets the silence of that time."""

    TIME_OVER = "time_over"
    """Its frame was played, or given up, before."""

    KNOWN = "known"
    """It waits already."""

    FULL = "full"
    """More waits than may wait."""

    FOREIGN = "foreign"
    """It belongs to a stream that is over, or stands alone with its claim that another one began."""

    UNKNOWN_TYPE = "unknown_type"
    """Its payload type was not agreed."""

    NEW_STREAM = "new_stream"
    """Another SSRC, or a jump in time."""


class PlayoutDecision(msgspec.Struct, frozen=True, gc=False):
    """One thing that the playout of one stream did at a tick."""

    action: PlayoutAction
    reason: PlayoutReason
    ssrc: int
    timestamp: int
    """RTP timestamp, 0 to 2^32 - 1, of the first sample concerned; 0 where nothing is known of it."""

    sequence: int | None
    """As on the wire, 0 to 65535, of the packet concerned; None where it is not known."""

    samples: int
    """How many at 48 kHz were played, made up, left out, repeated or dropped; 0 of what concerns none."""

    waited_ms: float | None
    """From the packet's arrival to now; None where no packet is concerned."""

    delay_ms: float | None
    """How long after its earliest possible arrival the sound at this place is played, if that is now; None where that is not known."""

    target_ms: float
    """How long the playout wants that to be."""

    frames_waiting: int
    """Beside those that were just taken."""
