"""The codec's settings of a session, and how they are changed while a call runs.

    this call's (`codec set --once`) before what was chosen (`codec set`) or the command line says, before settings.toml, before defaults

A change is checked as a whole, told to the encoder and to what plans redundancy, and remembered by the profile.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, get_args

import msgspec
from msgspec.structs import replace

from blink_cli.app.media.mesh_media import MeshMedia
from blink_cli.app.profile.codec_memory import CodecMemory
from blink_cli.app.profile.remembering import why_not_remembered
from blink_cli.app.profile.settings import CodecSection
from blink_cli.app.request_table import RequestTable
from blink_cli.core.analysis.load_relief import relief_remarks
from blink_cli.core.api.events import CodecChanged, Event
from blink_cli.core.api.replies.codec import CodecChosen, CodecInUse, CodecNow, CodecSet, CodecShown
from blink_cli.core.api.requests import GetCodec, SetCodec
from blink_cli.core.api.session_options import CodecKey, CodecOptions
from blink_cli.core.errors import StateError, UsageError
from blink_cli.core.media.codec_settings import SHORTEST_SPEECH_FRAME_MS, CodecSettings
from blink_cli.core.media.receiver_wishes import wish_remarks

if TYPE_CHECKING:
    from blink_cli.audio.opus.adjustable_encoder import EncoderFigures

HEADER_BYTES: Final = 20 + 8 + 12 + 8 + 10
"""Of each packet, beside the payload: IPv4, UDP, RTP, its extension with the level, SRTP's tag."""


class CodecControl:
    """Belongs to the event loop."""

    def __init__(
        self,
        file: CodecSection,
        options: CodecOptions,
        memory: CodecMemory,
        publish: Callable[[Event], None],
    ) -> None:
        """Begin with what the profile and the command line say.

        Args:
            file: The settings file's.
            options: The command line's.
            memory: The profile's.
            publish: Takes events.

        Raises:
            UsageError: An option is out of range, or two do not go together.

        """
        self._file = file
        self._memory = memory
        self._publish = publish
        self._media: MeshMedia | None = None
        self._remembered = memory.chosen()
        try:
            file.with_options(self._remembered)
        except UsageError:  # what was chosen does not go with the file, which was changed since
            self._remembered = CodecOptions()
        self._chosen = options.after(self._remembered)
        self._once = CodecOptions()
        self.settings = file.with_options(self._chosen)
        self._changing = asyncio.Lock()

    def steer(self, media: MeshMedia) -> None:
        """Change the settings of these media from now on, which began with `settings`."""
        self._media = media
        media.when_ended = self._call_ended

    def add_to(self, table: RequestTable) -> None:
        """Carry out the requests about the codec."""
        table.add(SetCodec, self._set)
        table.add(GetCodec, self._get)

    def in_use(self) -> CodecInUse:
        """What is chosen, and what really comes out."""
        settings = self.settings
        media = self._media
        eased, sent = (settings, settings) if media is None else (media.codec_eased, media.codec_sent)
        figures = None if self._media is None else self._media.voice.encoder_figures()
        chosen, later = _chosen(settings), _chosen(self._file.with_options(self._chosen))
        once = tuple(name for name in get_args(CodecKey) if getattr(chosen, name) != getattr(later, name))
        return CodecInUse(
            chosen=chosen,
            now=None if figures is None else _now(figures),
            for_this_call=once,
            remarks=(*remarks(sent), *relief_remarks(settings, eased), *wish_remarks(eased, sent)),
        )

    def _call_ended(self) -> None:
        """What was for this call only is over."""
        self._once = CodecOptions()
        self._apply(self._file.with_options(self._chosen))

    # requests

    async def _get(self, _: GetCodec) -> CodecShown:
        return CodecShown(codec=self.in_use())

    async def _set(self, request: SetCodec) -> CodecSet:
        if request.once and (self._media is None or not self._media.voice.is_running):
            raise StateError(
                "There is no call for which the codec could be set.",
                hint="Without --once it is set for every call.",
            )
        async with self._changing:
            changes, none = request.changes, dict.fromkeys(request.to_default)
            if request.once:
                once, chosen, remembered = (
                    changes.after(replace(self._once, **none)),
                    self._chosen,
                    self._remembered,
                )
            else:
                said = {
                    name: None for name, value in msgspec.structs.asdict(changes).items() if value is not None
                } | none
                once = replace(self._once, **said)
                chosen = changes.after(replace(self._chosen, **none))
                remembered = changes.after(replace(self._remembered, **none))
            settings = self._file.with_options(once.after(chosen))
            self._once, self._chosen = once, chosen
            self._apply(settings)
            not_remembered = None
            if remembered != self._remembered:
                self._remembered = remembered
                not_remembered = await why_not_remembered(self._memory.remember, remembered)
        return CodecSet(codec=self.in_use(), not_remembered=not_remembered)

    def _apply(self, settings: CodecSettings) -> None:
        before, self.settings = self.settings, settings
        if settings == before:
            return
        if self._media is not None:
            self._media.set_codec(settings)
        old, new = msgspec.structs.asdict(_chosen(before)), msgspec.structs.asdict(_chosen(settings))
        self._publish(
            CodecChanged(
                changed=tuple(name for name in get_args(CodecKey) if new[name] != old[name]),
                bitrate=settings.bitrate_bps,
                frame_ms=settings.frame_ms,
                bandwidth=settings.bandwidth,
                application=settings.application,
                fec=settings.fec,
                dtx=settings.dtx,
                cbr=settings.cbr,
                redundancy=settings.redundancy,
                redundancy_budget=settings.redundancy_budget_kbps,
                complexity=settings.complexity,
                stereo=settings.stereo,
            )
        )


def remarks(settings: CodecSettings) -> tuple[str, ...]:
    """What these settings cannot do, or cost, in sentences without a full stop."""
    said = []
    if settings.fec != "off" and not settings.fec_possible:
        why = (
            "application lowdelay has"
            if settings.application == "lowdelay"
            else f"frames of less than {SHORTEST_SPEECH_FRAME_MS} ms have"
        )
        said.append(f"{why} no speech mode, and so no FEC; redundancy helps against loss")
    if settings.stereo:
        said.append(
            "of a microphone with two channels both are sent as they are: no echo cancelling, noise suppression or automatic gain is done to them"
        )
    if settings.frame_ms < SHORTEST_SPEECH_FRAME_MS:
        packets = round(1000 / settings.frame_ms)
        headers_kbps = packets * HEADER_BYTES * 8 / 1000
        said.append(
            f"{packets} packets a second: their headers alone are {headers_kbps:.0f} kb/s to each participant"
        )
    return tuple(said)


def _chosen(settings: CodecSettings) -> CodecChosen:
    values = msgspec.structs.asdict(settings)
    values["bitrate"] = values.pop("bitrate_bps")
    values["redundancy_budget"] = values.pop("redundancy_budget_kbps")
    return CodecChosen(**values)


def _now(figures: "EncoderFigures") -> CodecNow:
    kind = figures.kind
    return CodecNow(
        frame_ms=figures.settings.frame_ms,
        mode=None if kind is None else kind.mode,
        bandwidth=None if kind is None else kind.bandwidth,
        channels=figures.settings.channels,
        bitrate=None if figures.bitrate_bps is None else round(figures.bitrate_bps),
        fec_loss_percent=figures.fec_loss_percent,
    )
