"""What a session is started with, as words: read and checked, the same for a command line and for `open_session`."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, TypeVar, get_args

import msgspec
from msgspec.structs import replace

from blink_cli.api.typed_path import absolute
from blink_cli.core.api.camera_name import FileCamera, ImageCamera, parse_camera_name
from blink_cli.core.api.device_name import FileDevice, WavDevice, parse_input_name, parse_output_name
from blink_cli.core.api.ice_server import MAX_ICE_SERVERS, ConfiguredServer, parse_ice_server
from blink_cli.core.api.session_options import (
    AutoAccept,
    CodecOptions,
    IceTransport,
    SessionOptions,
)
from blink_cli.core.api.sfu_server import parse_sfus
from blink_cli.core.api.signal_server import parse_signal_server
from blink_cli.core.endpoint import endpoint_text, group_text, parse_endpoint, parse_group, parse_interface
from blink_cli.core.errors import UsageError
from blink_cli.core.identity.nickname import MAX_NICKNAME_CHARS, harmless_nickname
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.processing_settings import EchoCancel, NoiseSuppress, ProcessingChoice

T = TypeVar("T")
Word = TypeVar("Word", bound=StrEnum)


def session_options(
    *,
    nickname: str | None = None,
    input: str | None = None,  # noqa: A002 - the option's name
    output: str | None = None,
    camera: str | None = None,
    auto_accept: str | None = None,
    interface: list[str] | None = None,
    group: str | None = None,
    neighbour: list[str] | None = None,
    ice_server: list[str] | None = None,
    ice_transport: str | None = None,
    no_discovery: bool = False,
    signal: list[str] | None = None,
    signal_ca: str | None = None,
    signal_credentials: str | None = None,
    multicast: bool | None = None,
    sfu: list[str] | None = None,
    sfu_ca: str | None = None,
    echo_cancel: str | None = None,
    noise_suppress: str | None = None,
    auto_gain: bool | None = None,
    automute: bool | None = None,
    **codec: Any,
) -> SessionOptions:
    """Return the checked options; `codec` takes those that `CodecOptions` names.

    Raises:
        UsageError: One makes no sense; says which, and what would.

    """
    defaults = SessionOptions()
    return SessionOptions(
        nickname=None if nickname is None else checked_nickname(nickname),
        input=None if input is None else input_device(input),
        output=None if output is None else output_device(output),
        camera=None if camera is None else camera_device(camera),
        auto_accept=None if auto_accept is None else checked_auto_accept(auto_accept),
        interfaces=tuple(_read("--interface", parse_interface, text) for text in interface or ()),
        group=defaults.group if group is None else group_text(_read("--group", parse_group, group)),
        neighbours=tuple(
            endpoint_text(_read("--neighbour", parse_endpoint, text)) for text in neighbour or ()
        ),
        ice_servers=ice_servers(ice_server or ()),
        ice_transport=None if ice_transport is None else checked_ice_transport(ice_transport),
        codec=checked_codec(codec_options(**codec)),
        processing=ProcessingChoice(
            echo_cancel=None if echo_cancel is None else checked_echo_cancel(echo_cancel),
            noise_suppress=None if noise_suppress is None else checked_noise_suppress(noise_suppress),
            auto_gain=auto_gain,
            automute=automute,
        ),
        discovery=not no_discovery,
        signal_servers=tuple(_read("--signal", parse_signal_server, text) for text in _split(signal)),
        signal_ca=None if signal_ca is None else absolute(signal_ca),
        signal_credentials=None if signal_credentials is None else absolute(signal_credentials),
        multicast=multicast,
        sfus=_sfus(_split(sfu)),
        sfu_ca=None if sfu_ca is None else absolute(sfu_ca),
    )


def _sfus(texts: list[str]) -> tuple[str, ...]:
    for text in texts:
        _read("--sfu", lambda word: parse_sfus((word,)), text)
    parse_sfus(texts)
    return tuple(texts)


def _split(texts: list[str] | None) -> list[str]:
    """The servers of a cluster may stand in one word, separated by commas."""
    return [part for text in texts or () for part in text.split(",") if part]


def codec_options(*, fec: bool | None = None, frame_ms: float | None = None, **others: Any) -> CodecOptions:
    """Return the codec options as they are typed."""
    return CodecOptions(
        fec=None if fec is None else "auto" if fec else "off",
        frame_ms=int(frame_ms) if frame_ms is not None and frame_ms.is_integer() else frame_ms,
        **others,
    )


def checked_codec(options: CodecOptions) -> CodecOptions:
    """Return the codec options, each of them possible.

    Raises:
        UsageError: One is not; says what would be.

    """
    values = msgspec.structs.asdict(options)
    values["bitrate_bps"] = values.pop("bitrate")
    values["redundancy_budget_kbps"] = values.pop("redundancy_budget")
    CodecSettings(**{name: value for name, value in values.items() if value is not None})
    return options


def checked_nickname(text: str) -> str:
    """Return a nickname that others can show and type.

    Raises:
        UsageError: It is empty, too long, or holds control characters.

    """
    name = text.strip()
    if not name or harmless_nickname(name) != name:
        raise UsageError(
            f"{text!r} is not a nickname.", hint=f"Write 1 to {MAX_NICKNAME_CHARS} printable characters."
        )
    return name


def input_device(text: str) -> str:
    """Return an input's name as a session in any folder understands it: with an absolute path.

    Raises:
        UsageError: It does not name an input.

    """
    name = parse_input_name(text)
    if isinstance(name, FileDevice):
        return str(replace(name, path=absolute(name.path)))
    return str(name)


def camera_device(text: str) -> str:
    """Return a camera's name as a session in any folder understands it: with an absolute path.

    Raises:
        UsageError: It does not name a camera.

    """
    name = parse_camera_name(text)
    if isinstance(name, FileCamera | ImageCamera):
        return str(replace(name, path=absolute(name.path)))
    return str(name)


def output_device(text: str) -> str:
    """Return an output's name as a session in any folder understands it: with an absolute path.

    Raises:
        UsageError: It does not name an output.

    """
    name = parse_output_name(text)
    if isinstance(name, WavDevice):
        return str(replace(name, path=absolute(name.path)))
    return str(name)


def ice_servers(urls: Sequence[str]) -> tuple[ConfiguredServer, ...]:
    """Return the servers that these URLs name.

    Raises:
        UsageError: One names none, or there are too many.

    """
    if len(urls) > MAX_ICE_SERVERS:
        raise UsageError(f"--ice-server: {len(urls)} servers are more than {MAX_ICE_SERVERS}.")
    return tuple(parse_ice_server(url) for url in urls)


def checked_ice_transport(text: str) -> IceTransport:
    """Return which paths audio may take.

    Raises:
        UsageError: It is neither `all` nor `relay`.

    """
    for kind in get_args(IceTransport):
        if text == kind:
            return kind  # type: ignore[no-any-return]  # `get_args` says Any of the words of a Literal
    raise UsageError(f"--ice-transport: {text!r} is neither all nor relay.")


def checked_echo_cancel(text: str) -> EchoCancel:
    """Return when echo is cancelled.

    Raises:
        UsageError: It is none of them.

    """
    return _one_of(EchoCancel, "echo-cancel", text)


def checked_noise_suppress(text: str) -> NoiseSuppress:
    """Return how much noise is taken out.

    Raises:
        UsageError: It is none of them.

    """
    return _one_of(NoiseSuppress, "noise-suppress", text)


def _one_of(values: type[Word], what: str, text: str) -> Word:
    for value in values:
        if text.lower() == value:
            return value
    raise UsageError(
        f"{what}: {text!r} is none of {', '.join(values)}.",
        hint=f"For example `blink {what} {next(iter(values))}`.",
    )


def checked_auto_accept(text: str) -> AutoAccept:
    """Return whose calls are accepted.

    Raises:
        UsageError: It is none of them.

    """
    for who in get_args(AutoAccept):
        if text == who:
            return who  # type: ignore[no-any-return]  # `get_args` says Any of the words of a Literal
    raise UsageError(
        f"--auto-accept: {text!r} is none of {', '.join(get_args(AutoAccept))}.",
        hint="Write --auto-accept, --auto-accept=contacts, or --auto-accept=anyone for everybody.",
    )


def _read(option: str, read: Callable[[str], T], text: str) -> T:
    """Read an option's value; a refusal names the option."""
    try:
        return read(text)
    except UsageError as refusal:
        raise UsageError(f"{option}: {refusal.message}", hint=refusal.hint) from refusal
