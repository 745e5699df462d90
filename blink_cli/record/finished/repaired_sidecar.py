"""What the sidecar of a repaired recording says.

The one that was left was written up to two seconds before the last packet. What is told there of the participants is kept, cut to what the file
holds; `described_s` says how far it reaches. Nothing is made up for the rest: the packets do not tell why a gap is there.
"""

from typing import Final

import msgspec

from blink_cli.record.recording.sidecar import FileEntry, GapEntry, ParticipantEntry, Sidecar

UNKNOWN_REASON: Final = "it was not finished; repaired"
"""Why it ended, where nobody could write it down: the program was killed, or the disk was full or gone."""


def repaired_sidecar(left: Sidecar, name: str, duration_s: float) -> Sidecar:
    """Return the sidecar of the whole file.

    Args:
        left: What was written last.
        name: Of the repaired MP4.
        duration_s: Of what it holds.

    """
    return msgspec.structs.replace(
        left,
        finished=True,
        reason=left.reason or UNKNOWN_REASON,
        duration_s=duration_s,
        described_s=None if left.described_s is None else min(left.described_s, duration_s),
        participants=[_cut(participant, duration_s) for participant in left.participants],
        files=[
            FileEntry(name, "mp4", [participant.did for participant in left.participants]),
            *(file for file in left.files if file.kind != "mp4"),
        ],
    )


def _cut(participant: ParticipantEntry, end_s: float) -> ParticipantEntry:
    """What was torn off with the end of the file is in no gap and no stint."""
    missing_s = dict(participant.missing_s)
    gaps: list[GapEntry] = []
    for gap in participant.gaps:
        beyond_s = min(gap.to_s - end_s, gap.to_s - gap.from_s)
        if beyond_s > 0:
            missing_s[gap.reason] = round(max(missing_s.get(gap.reason, 0.0) - beyond_s, 0.0), 6)
        if gap.from_s < end_s:
            gaps.append(msgspec.structs.replace(gap, to_s=min(gap.to_s, end_s)))
    stints = [
        msgspec.structs.replace(stint, to_s=min(stint.to_s, end_s))
        for stint in participant.stints
        if stint.from_s < end_s
    ]
    return msgspec.structs.replace(participant, stints=stints, gaps=gaps, missing_s=missing_s)
