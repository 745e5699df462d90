"""The options that a session is started with, the same for `serve`, `repl`, and `offer` and `accept` in the foreground."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar, get_args

import typer

from blink_cli.core.codec_settings import CodecSettings
from blink_cli.core.device_name import FileDevice, WavDevice, parse_input_name, parse_output_name
from blink_cli.core.endpoint import endpoint_text, parse_endpoint, parse_group, parse_interface
from blink_cli.core.errors import UsageError
from blink_cli.core.ice_server import MAX_ICE_SERVERS, ConfiguredServer, parse_ice_server
from blink_cli.core.nickname import MAX_NICKNAME_CHARS, harmless_nickname
from blink_cli.core.session_options import DEFAULT_GROUP, CodecOptions, IceTransport, SessionOptions

T = TypeVar("T")

_INPUT_HELP: Final = "Microphone: default, a device's name, file:PATH[?loop=1], tone:HZ or silence."
_OUTPUT_HELP: Final = "Speaker: default, a device's name, wav:PATH or null."
_AUTO_HELP: Final = "Accept every call while not in one."
_INTERFACE_HELP: Final = (
    "IPv4 address or name of an interface to use; may be repeated. All that are up, if left out."
)

SESSION_PARAMETERS: Final[tuple[tuple[str, Any, Any], ...]] = (
    (
        "nickname",
        Annotated[str | None, typer.Option(help="What this session calls itself.", metavar="NAME")],
        None,
    ),
    ("input", Annotated[str | None, typer.Option("--input", help=_INPUT_HELP, metavar="DEV")], None),
    ("output", Annotated[str | None, typer.Option("--output", help=_OUTPUT_HELP, metavar="DEV")], None),
    ("auto_accept", Annotated[bool, typer.Option("--auto-accept", help=_AUTO_HELP)], False),
    ("interface", Annotated[list[str] | None, typer.Option(help=_INTERFACE_HELP, metavar="ADDR")], None),
    (
        "group",
        Annotated[
            str | None,
            typer.Option(help=f"Multicast group of the signals; {DEFAULT_GROUP}.", metavar="ADDR:PORT"),
        ],
        None,
    ),
    (
        "neighbour",
        Annotated[
            list[str] | None,
            typer.Option(
                help="A session that multicast does not reach; may be repeated.", metavar="HOST:PORT"
            ),
        ],
        None,
    ),
    (
        "ice_server",
        Annotated[
            list[str] | None,
            typer.Option(
                help="A STUN or TURN server, in place of the settings'; may be repeated.",
                metavar="URL",
            ),
        ],
        None,
    ),
    (
        "ice_transport",
        Annotated[
            str | None,
            typer.Option(help="all, or relay: audio through a TURN server only; all.", metavar="KIND"),
        ],
        None,
    ),
    (
        "no_discovery",
        Annotated[
            bool, typer.Option("--no-discovery", help="Neither announce this session nor look for others.")
        ],
        False,
    ),
    ("bitrate", Annotated[int | None, typer.Option(help="Opus bits a second; 32000.", metavar="BPS")], None),
    ("frame_ms", Annotated[int | None, typer.Option(help="10, 20, 40 or 60; 20.", metavar="MS")], None),
    (
        "bandwidth",
        Annotated[
            str | None,
            typer.Option(help="auto, narrow, medium, wide, superwide or full; auto.", metavar="WIDTH"),
        ],
        None,
    ),
    (
        "application",
        Annotated[str | None, typer.Option(help="voip, audio or lowdelay; voip.", metavar="KIND")],
        None,
    ),
    (
        "fec",
        Annotated[bool | None, typer.Option("--fec/--no-fec", help="Opus in-band FEC where needed.")],
        None,
    ),
    ("dtx", Annotated[bool | None, typer.Option("--dtx/--no-dtx", help="Send nothing while silent.")], None),
    (
        "redundancy",
        Annotated[
            str | None,
            typer.Option(help="Copies of earlier frames in each packet: auto, 0, 1, 2.", metavar="N"),
        ],
        None,
    ),
)
"""Name, annotation and default of each, as Typer reads them."""


def session_options(
    *,
    nickname: str | None,
    input: str | None,  # noqa: A002 - the option's name
    output: str | None,
    auto_accept: bool,
    interface: list[str] | None,
    group: str | None,
    neighbour: list[str] | None,
    ice_server: list[str] | None,
    ice_transport: str | None,
    no_discovery: bool,
    **codec: Any,
) -> SessionOptions:
    """Return the checked options; `codec` takes those that `CodecOptions` names.

    Raises:
        UsageError: One makes no sense; says which, and what would.

    """
    defaults = SessionOptions()
    return SessionOptions(
        nickname=None if nickname is None else checked_nickname(nickname),
        input=defaults.input if input is None else input_device(input),
        output=defaults.output if output is None else output_device(output),
        auto_accept=auto_accept,
        interfaces=tuple(_read("--interface", parse_interface, text) for text in interface or ()),
        group=defaults.group if group is None else endpoint_text(_read("--group", parse_group, group)),
        neighbours=tuple(
            endpoint_text(_read("--neighbour", parse_endpoint, text)) for text in neighbour or ()
        ),
        ice_servers=ice_servers(ice_server or ()),
        ice_transport=None if ice_transport is None else checked_ice_transport(ice_transport),
        codec=checked_codec(CodecOptions(**codec)),
        discovery=not no_discovery,
    )


def checked_codec(options: CodecOptions) -> CodecOptions:
    """Return the codec options, each of them possible.

    Raises:
        UsageError: One is not; says what would be.

    """
    values = {field.name: getattr(options, field.name) for field in fields(options)}
    values["bitrate_bps"] = values.pop("bitrate")
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
            f"{text!r} is not a nickname.", hint=f"write 1 to {MAX_NICKNAME_CHARS} printable characters"
        )
    return name


def input_device(text: str) -> str:
    """Return an input's name as a session in any folder understands it: with an absolute path.

    Raises:
        UsageError: It does not name an input.

    """
    name = parse_input_name(text)
    if isinstance(name, FileDevice):
        return str(FileDevice(_absolute(name.path), loop=name.loop, drift_ppm=name.drift_ppm))
    return str(name)


def output_device(text: str) -> str:
    """Return an output's name as a session in any folder understands it: with an absolute path.

    Raises:
        UsageError: It does not name an output.

    """
    name = parse_output_name(text)
    if isinstance(name, WavDevice):
        return str(WavDevice(_absolute(name.path), drift_ppm=name.drift_ppm))
    return str(name)


def _absolute(path: str) -> str:
    # Shells do not expand `~` behind `file:`.
    return str(Path(path).expanduser().absolute())


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
            return kind  # type: ignore[no-any-return]
    raise UsageError(f"--ice-transport: {text!r} is neither all nor relay.")


def _read(option: str, read: Callable[[str], T], text: str) -> T:
    """Read an option's value; a refusal names the option."""
    try:
        return read(text)
    except UsageError as refusal:
        raise UsageError(f"{option}: {refusal.message}", hint=refusal.hint) from refusal
