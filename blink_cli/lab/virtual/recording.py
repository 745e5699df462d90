"""A recording of a call in virtual time: the recorder's own code, fed with what comes out of the virtual lines.

    frames, packets, reports, mutes ──> VirtualRecording ──> Recording ──> NAME.mp4, NAME.json ──> export ──> NAME-1-alice.wav, …

Keys, the call's id and the wall clock follow from the case, so that the same case leaves the same bytes. A disk is never full or slow here.
"""

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from blink_cli.core.identity.did import did_of
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.rtp import EncodedFrame, ReceptionReport, RtpPacket, SenderReport
from blink_cli.lab.scenario.case import Case, Person
from blink_cli.lab.scenario.observation import KeptRecording
from blink_cli.lab.virtual.link_end import MEDIA, WALL_S
from blink_cli.record.finished.export import export
from blink_cli.record.recording.recording import Invited, Recording, RecordingPlan
from blink_cli.record.recording.recording_thread import STEP_S

FORMATS: Final = ("mp4", "wav")
"""As the real engine asks for."""


class VirtualRecording:
    """Of one participant; ended by `finish`, or by `lose`."""

    def __init__(self, case: Case, own: Person, linked: Mapping[str, bool], now_s: float) -> None:
        """Begin, in a folder for temporary files.

        Args:
            case: Everybody of it is invited to the call, and gets a track.
            own: Who records.
            linked: Who is there, own name included; whether they are muted.
            now_s: Second of the scenario.

        """
        self._own = own.name
        self._dids = {person.name: _did(case.seed, person.name) for person in case.people}
        self._folder = tempfile.TemporaryDirectory(prefix="blink-lab-recording-")
        self._recording = Recording.create(
            RecordingPlan(
                folder=Path(self._folder.name),
                call=CallId(hashlib.sha256(f"{case.seed}/call".encode()).hexdigest()[:32]),
                invited=tuple(
                    Invited(
                        did=did,
                        nickname=name,
                        self=name == own.name,
                        payload_types=(MEDIA.opus, MEDIA.red)
                        if name in linked and name != own.name
                        else None,
                        muted=linked.get(name, False),
                    )
                    for name, did in self._dids.items()
                ),
                formats=FORMATS,
                codec=own.codec,
                start_s=now_s,
                start_wall_s=WALL_S + now_s,
            )
        )
        self._due_s = now_s + STEP_S

    # what happens in the call

    def captured(self, frame: EncodedFrame, now_s: float) -> None:
        """Our own voice."""
        self._recording.captured(self._dids[self._own], frame, now_s)

    def received(self, peer: str, packet: RtpPacket) -> None:
        """A packet of a peer."""
        self._recording.received(self._dids[peer], packet)

    def reported(self, peer: str, report: SenderReport | ReceptionReport) -> None:
        """What a peer says of its clock, or of our stream."""
        if isinstance(report, SenderReport):
            self._recording.reported(self._dids[peer], report)
        elif report.rtt_s is not None:
            self._recording.round_trip(self._dids[peer], report.rtt_s, report.arrival_s)

    def link_connected(self, peer: str, now_s: float) -> None:
        """Its packets may come."""
        self._recording.link_connected(self._dids[peer], MEDIA.opus, MEDIA.red, now_s)

    def link_ended(self, peer: str, now_s: float) -> None:
        """From here on it is absent."""
        self._recording.link_ended(self._dids[peer], now_s)

    def set_muted(self, name: str, *, muted: bool, now_s: float) -> None:
        """Somebody, or we, are muted from now on, or not any more."""
        self._recording.set_muted(self._dids[name], muted, now_s)

    def look(self, now_s: float) -> None:
        """Write what is due: as often as the recording's thread does."""
        if now_s >= self._due_s:
            self._due_s = now_s + STEP_S
            self._recording.advance(now_s)

    # the end

    def finish(self, now_s: float) -> list[KeptRecording]:
        """End it, and return its files. Once."""
        with self._folder:
            duration_s = self._recording.finish(now_s, "stopped").duration_s
            paths = self._recording.paths
            names = {did: name for name, did in self._dids.items()}
            everybody = tuple(names.values())
            made = [
                (paths.final, "mp4", everybody, duration_s),
                (paths.sidecar, "sidecar", everybody, duration_s),
                *(
                    (one.path, one.kind, tuple(names[did] for did, _ in one.participants), one.duration_s)
                    for one in export(paths.final, ("wav",), None, _nobody_watches, "lab")
                ),
            ]
            return [
                KeptRecording(self._own, path.name, kind, participants, length_s, path.read_bytes())
                for path, kind, participants, length_s in made
            ]

    def lose(self) -> None:
        """Leave it unfinished: who recorded is gone."""
        with self._folder:
            self._recording.give_up("killed")


def _did(seed: int, name: str) -> Did:
    return did_of(hashlib.sha256(f"{seed}/{name}/key".encode()).digest())


def _nobody_watches(_done: float) -> None:
    """Progress of some tenths of a second."""
