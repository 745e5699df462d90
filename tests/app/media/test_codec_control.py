"""Which word of the codec wins, how long it counts, and what is told."""

from pathlib import Path
from typing import Any

import pytest

from blink_cli.app.media.codec_control import CodecControl, remarks
from blink_cli.app.profile.codec_memory import CodecMemory
from blink_cli.app.profile.profile import Profile
from blink_cli.app.profile.settings import CodecSection
from blink_cli.app.request_table import RequestTable
from blink_cli.core.analysis.load_relief import relieved
from blink_cli.core.api.events import CodecChanged, Event
from blink_cli.core.api.requests import GetCodec, SetCodec
from blink_cli.core.api.session_options import CodecOptions
from blink_cli.core.errors import StateError, UsageError
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.receiver_wishes import ReceiverWishes, fitted

pytestmark = pytest.mark.no_clock


class Voice:
    """Media that run, or not."""

    is_running = False

    def encoder_figures(self) -> None:
        return None


class Media:
    """What a control steers."""

    def __init__(self) -> None:
        self.voice = Voice()
        self.when_ended: Any = None
        self.applied: list[CodecSettings] = []
        self.wishes: tuple[ReceiverWishes, ...] = ()
        self.relief = 0

    def set_codec(self, settings: CodecSettings) -> None:
        self.applied.append(settings)

    @property
    def codec_eased(self) -> CodecSettings:
        return relieved(self.applied[-1] if self.applied else CodecSettings(), self.relief)

    @property
    def codec_sent(self) -> CodecSettings:
        return fitted(self.codec_eased, self.wishes)


class Bench:
    def __init__(
        self, folder: Path, file: CodecSection | None = None, options: CodecOptions | None = None
    ) -> None:
        self.profile = Profile("anna", folder, folder)
        self.events: list[Event] = []
        self.media = Media()
        self.control = CodecControl(
            file or CodecSection(), options or CodecOptions(), CodecMemory(self.profile), self.events.append
        )
        self.control.steer(self.media)  # type: ignore[arg-type]  # as much of it as a control asks for
        self._table = RequestTable()
        self.control.add_to(self._table)

    async def set(self, *, once: bool = False, to_default: tuple[Any, ...] = (), **changes: Any) -> Any:
        request = SetCodec(changes=CodecOptions(**changes), to_default=to_default, once=once)
        return await self._table.answer(request)

    async def shown(self) -> Any:
        return (await self._table.answer(GetCodec())).codec


async def test_what_was_set_is_remembered_and_wins_over_the_file(tmp_path: Path) -> None:
    file = CodecSection(bitrate=24_000, frame_ms=40)
    bench = Bench(tmp_path, file)
    assert bench.control.settings.bitrate_bps == 24_000
    reply = await bench.set(bitrate=48_000)
    assert (reply.codec.chosen.bitrate, reply.not_remembered) == (48_000, None)
    assert [settings.bitrate_bps for settings in bench.media.applied] == [48_000]
    (event,) = bench.events
    assert isinstance(event, CodecChanged)
    assert (event.changed, event.bitrate, event.frame_ms) == (("bitrate",), 48_000, 40)

    later = Bench(tmp_path, file)
    assert (later.control.settings.bitrate_bps, later.control.settings.frame_ms) == (48_000, 40)
    on_the_command_line = Bench(tmp_path, file, CodecOptions(bitrate=64_000))
    assert on_the_command_line.control.settings.bitrate_bps == 64_000
    await on_the_command_line.set(dtx=True)
    assert Bench(tmp_path, file).control.settings.bitrate_bps == 48_000, "an option is of one session"

    later = Bench(tmp_path, file)
    await later.set(to_default=("bitrate",))
    assert later.control.settings.bitrate_bps == 24_000
    assert Bench(tmp_path, file).control.settings == CodecSettings(bitrate_bps=24_000, frame_ms=40, dtx=True)


async def test_what_is_for_one_call_ends_with_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(StateError, match="no call"):
        await bench.set(once=True, frame_ms=10)
    bench.media.voice.is_running = True
    await bench.set(bitrate=48_000)
    await bench.set(once=True, frame_ms=10, bitrate=96_000)
    assert (await bench.shown()).for_this_call == ("bitrate", "frame_ms")
    assert bench.media.applied[-1] == CodecSettings(bitrate_bps=96_000, frame_ms=10)
    await bench.set(bitrate=64_000)
    assert (await bench.shown()).for_this_call == ("frame_ms",), (
        "what is set for good is no more for this call"
    )
    bench.media.voice.is_running = False
    bench.media.when_ended()
    assert bench.control.settings == CodecSettings(bitrate_bps=64_000)
    last = bench.events[-1]
    assert isinstance(last, CodecChanged)
    assert last.changed == ("frame_ms",)
    assert Bench(tmp_path).control.settings == CodecSettings(bitrate_bps=64_000)


async def test_what_a_participant_does_not_want_is_said(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.media.wishes = (ReceiverWishes(shortest_packet_ms=10, most_bitrate_bps=24_000),)
    await bench.set(frame_ms=2.5)
    shown = await bench.shown()
    assert (shown.chosen.frame_ms, shown.chosen.bitrate) == (2.5, 32_000)
    assert shown.remarks == (
        "packets of 10 ms are sent: a participant wants none that are shorter",
        "24 kb/s are sent: a participant wants no more",
    )


async def test_what_a_machine_that_is_too_slow_does_not_send_is_said(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.media.relief = 1
    shown = await bench.shown()
    assert shown.chosen.frame_ms == 20
    assert shown.remarks == (
        "packets of 40 ms are sent, with less effort of the encoder, because this machine is too slow for its call",
    )


async def test_what_is_the_same_afterwards_is_not_for_this_call(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.media.voice.is_running = True
    await bench.set(once=True, stereo=False, frame_ms=10)
    assert (await bench.shown()).for_this_call == ("frame_ms",)
    await bench.set(once=True, stereo=True)
    assert (await bench.shown()).for_this_call == ("frame_ms", "stereo")


async def test_what_does_not_go_together_changes_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.set(dtx=True)
    with pytest.raises(UsageError, match="constant bit rate"):
        await bench.set(cbr=True, bitrate=48_000)
    assert bench.control.settings == CodecSettings(dtx=True)
    assert len(bench.media.applied) == len(bench.events) == 1
    assert Bench(tmp_path, CodecSection(cbr=True)).control.settings == CodecSettings(cbr=True), (
        "the file was changed since, and what was remembered does not go with it"
    )


async def test_the_same_again_tells_nobody(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.set(bitrate=32_000)
    assert bench.events == []
    assert bench.media.applied == []


async def test_a_profile_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object, __: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CodecMemory, "remember", full)
    reply = await Bench(tmp_path).set(bitrate=48_000)
    assert (reply.codec.chosen.bitrate, reply.not_remembered) == (48_000, "No space left on device")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"bitrate":"much"}', b"\xff" * 100, b"[" * 10_000])
def test_a_spoilt_memory_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "codec.json").write_bytes(content)
    assert Bench(tmp_path).control.settings == CodecSettings()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (CodecSettings(), []),
        (CodecSettings(frame_ms=2.5), ["less than 10 ms have no speech mode", "186 kb/s"]),
        (CodecSettings(frame_ms=5, fec="off"), ["93 kb/s"]),
        (CodecSettings(application="lowdelay"), ["lowdelay has no speech mode"]),
        (CodecSettings(stereo=True), ["both are sent as they are"]),
    ],
)
def test_what_settings_cannot_do_is_said(settings: CodecSettings, said: list[str]) -> None:
    assert len(remarks(settings)) == len(said)
    for one, part in zip(remarks(settings), said, strict=True):
        assert part in one
