"""Commands that need no session, with typed results: `blink.cli.codec_roundtrip("in.wav", "out.wav", loss="10%")` is `blink codec roundtrip in.wav out.wav --loss 10%`.

Each runs as a process of its own, so that neither its work nor its threads disturb the sessions of this one. The name is the command's words, joined by `_`;
arguments and options are those of docs/cli.md.
"""

from collections.abc import Iterable
from os import PathLike, fspath
from typing import Final, Generic, TypeVar

import msgspec

from blink_cli.api.command_line import run_command
from blink_cli.api.device_test_documents import InputTested, OutputTested
from blink_cli.api.documents import (
    BrokerMade,
    BugReportWritten,
    CameraList,
    ContactChanged,
    ContactList,
    DeviceConfigs,
    DoctorReport,
    InvitationShown,
    Joined,
    LabPage,
    LabScenarios,
    LogExported,
    OwnIdentity,
    ProgramVersion,
)
from blink_cli.codec.figures import (
    CodecInfo,
    FeedbackDone,
    LoudnessDone,
    PacketsDecoded,
    PacketsWritten,
    RoundTripDone,
    SoundPlayed,
    SoundRecorded,
)
from blink_cli.core.api.replies.recordings import RecordingFiles
from blink_cli.lab.comparison.document import Comparison
from blink_cli.lab.load.load_report import LoadReport
from blink_cli.lab.replay.figures import ReplayFigures
from blink_cli.lab.verdict.report import LabReport

T = TypeVar("T")

Word = str | int | float | PathLike[str]
Option = Word | bool | Iterable[Word] | None
"""True is an option without a value; False and None leave it out; several values are said one after the other."""


class Command(Generic[T]):
    """One command. Called, it runs."""

    def __init__(self, result: type[T], *words: str) -> None:
        self.result = result
        """What it returns."""

        self.words = words
        """As one types them."""

    async def __call__(
        self,
        *arguments: Word,
        profile: str | None = None,
        data_dir: str | PathLike[str] | None = None,
        **options: Option,
    ) -> T:
        """Run it, and return what it found. Cancelling ends it as Ctrl-C does, and waits for that.

        Args:
            arguments: In the order of the command line.
            profile: Whose; None: as the commands choose.
            data_dir: The folder of all profiles; None: likewise.
            options: By their long names, `_` for `-`: `frame_ms=10` is `--frame-ms 10`. A final `_` is dropped, for the words of Python.

        Raises:
            BlinkError: What the command said, as the class of its code. What was found to be wrong (exit code 6) is no error here: the result tells.

        """
        said = [*map(_said, arguments)]
        for name, value in options.items():
            said += _option(f"--{name.removesuffix('_').replace('_', '-')}", value)
        document, *_ = await run_command(*self.words, *said, profile=profile, data_dir=data_dir)
        return msgspec.convert(document, self.result)


def _said(word: Word) -> str:
    return fspath(word) if isinstance(word, PathLike) else str(word)


def _option(name: str, value: Option) -> list[str]:
    if value is None or value is False:
        return []
    if value is True:
        return [name]
    if isinstance(value, str | int | float | PathLike):
        return [name, _said(value)]
    return [part for one in value for part in (name, _said(one))]


version: Final = Command(ProgramVersion, "version")
whoami: Final = Command(OwnIdentity, "whoami")
invite: Final = Command(InvitationShown, "invite")
join: Final = Command(Joined, "join")
contacts_add: Final = Command(ContactChanged, "contacts", "add")
contacts_list: Final = Command(ContactList, "contacts", "list")
contacts_remove: Final = Command(ContactChanged, "contacts", "remove")

load: Final = Command(LoadReport, "load")
lab_run: Final = Command(LabReport, "lab", "run")
lab_list: Final = Command(LabScenarios, "lab", "list")
lab_report: Final = Command(LabPage, "lab", "report")
lab_compare: Final = Command(Comparison, "lab", "compare")
lab_replay: Final = Command(ReplayFigures, "lab", "replay")

codec_roundtrip: Final = Command(RoundTripDone, "codec", "roundtrip")
codec_ogg: Final = Command(PacketsWritten, "codec", "ogg")
codec_mp4: Final = Command(PacketsWritten, "codec", "mp4")
codec_decode: Final = Command(PacketsDecoded, "codec", "decode")
codec_loudness: Final = Command(LoudnessDone, "codec", "loudness")
codec_info: Final = Command(CodecInfo, "codec", "info")
codec_feedback: Final = Command(FeedbackDone, "codec", "feedback")
codec_record: Final = Command(SoundRecorded, "codec", "record")
codec_play: Final = Command(SoundPlayed, "codec", "play")

record_repair: Final = Command(RecordingFiles, "record", "repair")
record_export: Final = Command(RecordingFiles, "record", "export")
record_loudness: Final = Command(RecordingFiles, "record", "loudness")
rtp_log_export: Final = Command(LogExported, "rtp-log", "export")

device_configs: Final = Command(DeviceConfigs, "device-configs")
list_cameras: Final = Command(CameraList, "list-cameras")
test_input: Final = Command(InputTested, "test-input")
test_output: Final = Command(OutputTested, "test-output")

broker_init: Final = Command(BrokerMade, "broker", "init")
broker_show: Final = Command(InvitationShown, "broker", "show")
doctor: Final = Command(DoctorReport, "doctor")
bugreport: Final = Command(BugReportWritten, "bugreport")
