"""The options that a session is started with, the same for `serve`, `repl`, and `offer` and `accept` in the foreground."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar, get_args

import typer

from blink_cli.commands.device_words import CAMERA_NAMES
from blink_cli.commands.shell_completion import (
    complete_auto_accept,
    complete_camera,
    complete_echo_cancel,
    complete_input,
    complete_noise_suppress,
    complete_output,
)
from blink_cli.core.api.session_options import (
    DEFAULT_GROUP,
    AutoAccept,
)

T = TypeVar("T")
Word = TypeVar("Word", bound=StrEnum)

_INPUT_HELP: Final = "Microphone: default, a device's name, file:PATH[?loop=1], tone:HZ or silence; ?channel=N takes one channel."
_OUTPUT_HELP: Final = "Speaker: default, a device's name, wav:PATH or null."
_AUTO_HELP: Final = (
    "While in no call, accept calls of contacts; also of others while the input is a file, a tone or silence."
    " --auto-accept=contacts: never of others. --auto-accept=anyone: microphone open to everybody, for laboratories."
)
_INTERFACE_HELP: Final = "Address or name of an interface to use; may be repeated. Default: all that are up."

AUTO_ACCEPT: Final = "--auto-accept"
ALONE: Final[AutoAccept] = "no-microphone"
"""What the option means without a value: scripts between strangers with files and tones go on, and no microphone opens to a stranger."""

_CAMERA_HELP: Final = f"The camera that `video on` turns on: {CAMERA_NAMES}"
SESSION_PARAMETERS: Final[tuple[tuple[str, Any, Any], ...]] = (
    (
        "nickname",
        Annotated[str | None, typer.Option(help="What this session calls itself.", metavar="NAME")],
        None,
    ),
    (
        "input",
        Annotated[
            str | None,
            typer.Option("--input", help=_INPUT_HELP, metavar="DEV", autocompletion=complete_input),
        ],
        None,
    ),
    (
        "camera",
        Annotated[
            str | None,
            typer.Option("--camera", help=_CAMERA_HELP, metavar="CAMERA", autocompletion=complete_camera),
        ],
        None,
    ),
    (
        "output",
        Annotated[
            str | None,
            typer.Option("--output", help=_OUTPUT_HELP, metavar="DEV", autocompletion=complete_output),
        ],
        None,
    ),
    (
        "auto_accept",
        Annotated[
            str | None,
            typer.Option(AUTO_ACCEPT, help=_AUTO_HELP, metavar="[WHO]", autocompletion=complete_auto_accept),
        ],
        None,
    ),
    ("interface", Annotated[list[str] | None, typer.Option(help=_INTERFACE_HELP, metavar="ADDR")], None),
    (
        "group",
        Annotated[
            str | None,
            typer.Option(
                help=f"Multicast group of the signals; default {DEFAULT_GROUP}.", metavar="ADDR:PORT"
            ),
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
            typer.Option(help="all (default), or relay: audio through a TURN server only.", metavar="KIND"),
        ],
        None,
    ),
    (
        "signal",
        Annotated[
            list[str] | None,
            typer.Option(
                help="A NATS server that carries signals past the network; may be repeated, for a cluster.",
                metavar="URL",
            ),
        ],
        None,
    ),
    (
        "sfu",
        Annotated[
            list[str] | None,
            typer.Option(
                help="An SFU (Janus) through which larger calls go; may be repeated. any: also those that the others of a call name.",
                metavar="URL",
            ),
        ],
        None,
    ),
    (
        "sfu_ca",
        Annotated[
            str | None,
            typer.Option(
                help="The certificate, as a PEM file, that signed the SFU's certificate. Needed if no authority that the system trusts signed it. (The SFU's secrets are no options: write them into `[sfu]` of settings.toml.)",
                metavar="FILE",
            ),
        ],
        None,
    ),
    (
        "signal_ca",
        Annotated[
            str | None,
            typer.Option(
                help="The certificate, as a PEM file, that signed the broker's certificate. Needed if no authority that the system trusts signed it.",
                metavar="FILE",
            ),
        ],
        None,
    ),
    (
        "signal_credentials",
        Annotated[
            str | None,
            typer.Option(help="NATS credentials file, or a file with an nkey seed.", metavar="FILE"),
        ],
        None,
    ),
    (
        "multicast",
        Annotated[
            bool | None,
            typer.Option("--multicast/--no-multicast", help="Whether signals go by multicast, too; they do."),
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
    (
        "bitrate",
        Annotated[int | None, typer.Option(help="Opus bits a second; default 32000.", metavar="BPS")],
        None,
    ),
    (
        "frame_ms",
        Annotated[
            float | None,
            typer.Option(help="Length of a packet: 2.5, 5, 10, 20, 40 or 60; default 20.", metavar="MS"),
        ],
        None,
    ),
    (
        "bandwidth",
        Annotated[
            str | None,
            typer.Option(help="auto (default), narrow, medium, wide, superwide or full.", metavar="WIDTH"),
        ],
        None,
    ),
    (
        "application",
        Annotated[str | None, typer.Option(help="voip (default), audio or lowdelay.", metavar="KIND")],
        None,
    ),
    (
        "fec",
        Annotated[bool | None, typer.Option("--fec/--no-fec", help="Opus in-band FEC where needed.")],
        None,
    ),
    (
        "stereo",
        Annotated[bool | None, typer.Option("--stereo/--mono", help="Send two channels; default one.")],
        None,
    ),
    ("dtx", Annotated[bool | None, typer.Option("--dtx/--no-dtx", help="Send nothing while silent.")], None),
    (
        "cbr",
        Annotated[
            bool | None,
            typer.Option("--cbr/--no-cbr", help="Packets of equal length, which tell nothing of the speech."),
        ],
        None,
    ),
    (
        "redundancy",
        Annotated[
            str | None,
            typer.Option(
                help="Copies of earlier frames in each packet: auto (default), or 0 to 4.", metavar="N"
            ),
        ],
        None,
    ),
    (
        "redundancy_budget",
        Annotated[
            int | None,
            typer.Option(
                help="The most that each peer is sent of the voice and its copies together, in kilobits a second. Packets that a peer asks for again are not counted. For example 110 with a voice of 32 kb/s. 0 (default): no limit.",
                metavar="KBPS",
            ),
        ],
        None,
    ),
    (
        "echo_cancel",
        Annotated[
            str | None,
            typer.Option(
                help="Take the speaker's sound out of the microphone's: on, off, or auto: unless a headset, a file or silence is used.",
                metavar="WHEN",
                autocompletion=complete_echo_cancel,
            ),
        ],
        None,
    ),
    (
        "noise_suppress",
        Annotated[
            str | None,
            typer.Option(
                help="Take steady noise out: off, low or high.",
                metavar="HOW",
                autocompletion=complete_noise_suppress,
            ),
        ],
        None,
    ),
    (
        "auto_gain",
        Annotated[
            bool | None,
            typer.Option("--auto-gain/--no-auto-gain", help="Bring one's voice to the usual loudness."),
        ],
        None,
    ),
    (
        "automute",
        Annotated[
            bool | None,
            typer.Option("--automute/--no-automute", help="Mute yourself while others talk."),
        ],
        None,
    ),
)
"""Name, annotation and default of each, as Typer reads them."""


def with_auto_accept_value(line: Sequence[str]) -> list[str]:
    """Return a command line in which `--auto-accept` has its value: `no-microphone` where nothing else is said."""
    words = list(line)
    end = words.index("--") if "--" in words else len(words)
    return [
        f"{AUTO_ACCEPT}={ALONE}"
        if word == AUTO_ACCEPT and index < end and words[index + 1 : index + 2] not in _WHO_WORDS
        else word
        for index, word in enumerate(words)
    ]


_WHO_WORDS: Final = [[who] for who in get_args(AutoAccept)]
