"""The two ways to a session: opening one in this process, and connecting to one that runs.

What a program keeps to itself stays its own: no event loop is made, no signal is handled, nothing is printed, no log file is written (the logger `blink_cli` has it
all), nobody is asked for a passphrase. One thing of the whole process is changed: threads take turns every millisecond (`sys.setswitchinterval`), so that
voice is in time beside other work of Python.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from os import PathLike
from pathlib import Path

from msgspec.structs import replace

from blink_cli import __version__
from blink_cli.api.option_words import checked_codec, session_options
from blink_cli.api.reached_session import AttachedSession, OpenedSession, TappableSession
from blink_cli.api.session import Session
from blink_cli.app.control.control_client import ControlClient
from blink_cli.app.control.door_choice import control_door
from blink_cli.app.profile.profile import DEFAULT_PROFILE, Profile, find_profile
from blink_cli.core.api.requests import GetStatus
from blink_cli.core.api.session_options import AutoAccept, CodecOptions, IceTransport, SessionOptions
from blink_cli.core.errors import NoSessionError
from blink_cli.core.media.processing_settings import ProcessingChoice
from blink_cli.runtime.math_threads import on_one_thread

Opening = Callable[[Profile, SessionOptions, str | None], AbstractAsyncContextManager[TappableSession]]


def profile_named(name: str | None, data_dir: str | PathLike[str] | None) -> Profile:
    """Return the profile that a command would use: as named, else by `BLINK_PROFILE` and `BLINK_DATA_DIR`, else the default one.

    Raises:
        UsageError: The name cannot be one.

    """
    folder = data_dir if data_dir is not None else os.environ.get("BLINK_DATA_DIR") or None
    return find_profile(
        name or os.environ.get("BLINK_PROFILE") or DEFAULT_PROFILE, None if folder is None else Path(folder)
    )


@asynccontextmanager
async def connect(
    *, profile: str | None = None, data_dir: str | PathLike[str] | None = None
) -> AsyncIterator[Session]:
    """Reach a session that runs: of `blink`, `blink serve`, or another program.

    Args:
        profile: Whose session; None: as the commands choose.
        data_dir: The folder of all profiles; None: likewise.

    Raises:
        NoSessionError: None runs.

    """
    chosen = profile_named(profile, data_dir)
    door = control_door(chosen.runtime_dir)
    try:
        client = await ControlClient.connect(door)
    except NoSessionError as error:
        raise NoSessionError(
            f"No session of profile {chosen.name!r} is running.",
            hint="Start one with `blink serve`, or open one with `open_session`.",
        ) from error
    async with client:
        session = Session(AttachedSession(door, client), await client.ask(GetStatus()))
        try:
            yield session
        finally:
            await session.close_streams()


@asynccontextmanager
async def open_session(
    *,
    profile: str | None = None,
    data_dir: str | PathLike[str] | None = None,
    passphrase: str | None = None,
    nickname: str | None = None,
    input: str | None = None,  # noqa: A002 - the option's name
    output: str | None = None,
    camera: str | None = None,
    auto_accept: AutoAccept | None = None,
    interfaces: Sequence[str] = (),
    group: str | None = None,
    neighbours: Sequence[str] = (),
    ice_servers: Sequence[str] = (),
    ice_transport: IceTransport | None = None,
    codec: CodecOptions | None = None,
    processing: ProcessingChoice | None = None,
    discovery: bool = True,
    signal_servers: Sequence[str] = (),
    signal_ca: str | PathLike[str] | None = None,
    signal_credentials: str | PathLike[str] | None = None,
    multicast: bool | None = None,
    sfus: Sequence[str] = (),
    sfu_ca: str | PathLike[str] | None = None,
) -> AsyncIterator[Session]:
    """Run a session in this process, on the running event loop, for as long as the context lasts; commands of its profile reach it meanwhile.

    As many as one likes at once, each of another profile. At the end it leaves its call and says so; that takes some tenths of a second.

    Args:
        profile: Who it is; made at its first use. None: as the commands choose (`BLINK_PROFILE`, else `default`).
        data_dir: The folder of all profiles; None: likewise.
        passphrase: Of its key file; None: that of `BLINK_PASSPHRASE`, or none.
        nickname: What it calls itself.
        input: The microphone, as `--input` names it: a device, `file:PATH?loop=1`, `tone:440`, `silence`.
        output: The speaker: a device, `wav:PATH`, `null`.
        camera: Which camera is used when it is turned on: a camera's name, `testsrc`, `file:PATH?loop=1`, `image:PATH`, `blank`.
        auto_accept: Whose calls are accepted by themselves.
        interfaces: Addresses or names of the network interfaces to use; all if none is named.
        group: `ADDRESS:PORT` of the multicast group for signals.
        neighbours: `HOST:PORT` of sessions that multicast does not reach.
        ice_servers: URLs of STUN and TURN servers, in place of the settings'.
        ice_transport: `relay`: through a TURN server only.
        codec: How voice is encoded, in place of the settings.
        processing: What is done to the microphone's sound, in this session.
        discovery: Whether it announces itself by DNS-SD and looks for others.
        signal_servers: URLs of NATS servers that carry signals past the network, in place of the settings'.
        signal_ca: Certificate of who signed theirs, PEM.
        signal_credentials: A NATS credentials file, or a file with an nkey seed.
        multicast: Whether signals go by multicast, too.
        sfus: URLs of SFUs through which larger calls go, in place of the settings'; `any`: also those that others name.
        sfu_ca: Certificate of who signed theirs, PEM.

    Raises:
        UsageError: An option or a setting is wrong.
        StateError: A session of this profile runs already; `connect` reaches it.
        DeviceError: A device that was named cannot be used.
        IdentityError: The key file is locked, unsafe or damaged.
        BlinkError: The network or a folder cannot be used.

    """
    options = replace(
        session_options(
            nickname=nickname,
            input=input,
            output=output,
            camera=camera,
            auto_accept=auto_accept,
            interface=list(interfaces),
            group=group,
            neighbour=list(neighbours),
            ice_server=list(ice_servers),
            ice_transport=ice_transport,
            no_discovery=not discovery,
            signal=list(signal_servers),
            signal_ca=None if signal_ca is None else os.fspath(signal_ca),
            signal_credentials=None if signal_credentials is None else os.fspath(signal_credentials),
            multicast=multicast,
            sfu=list(sfus),
            sfu_ca=None if sfu_ca is None else os.fspath(sfu_ca),
        ),
        codec=checked_codec(codec or CodecOptions()),
        processing=processing or ProcessingChoice(),
    )
    async with hosted_session(profile_named(profile, data_dir), options, passphrase, _opened) as session:
        yield session


@asynccontextmanager
async def hosted_session(
    profile: Profile, options: SessionOptions, passphrase: str | None, opening: Opening
) -> AsyncIterator[Session]:
    """Run what `opening` opens as the session of a profile, which it locks, and which commands reach."""
    from blink_cli.app.control.hosted_session import hosted  # noqa: PLC0415 - who connects hosts nothing

    logger = logging.getLogger("blink_cli")
    if not logger.handlers:
        logger.addHandler(
            logging.NullHandler()
        )  # else Python prints warnings of whoever configures no logging
    async with hosted(
        profile, version=__version__, open_session=lambda: opening(profile, options, passphrase)
    ) as opened:
        reached = OpenedSession(opened)
        session = Session(reached, await opened.ask(GetStatus()))
        try:
            yield session
        finally:
            await session.close_streams()
            reached.close()


@asynccontextmanager
async def _opened(
    profile: Profile, options: SessionOptions, passphrase: str | None
) -> AsyncIterator[TappableSession]:
    await asyncio.to_thread(_load)  # half a second in which the program's own tasks go on
    from blink_cli.app.profile.key_file import load_or_create_identity  # noqa: PLC0415 - cryptography
    from blink_cli.app.session import Session as OwnSession  # noqa: PLC0415 - loaded by now
    from blink_cli.app.session import share_interpreter  # noqa: PLC0415 - as above

    phrase = passphrase or os.environ.get("BLINK_PASSPHRASE") or None
    identity = await asyncio.to_thread(load_or_create_identity, profile.key_path, phrase, secrets.token_bytes)
    share_interpreter()
    async with OwnSession.open(profile, identity, options) as session:
        yield session


def _load() -> None:
    """Load aiortc, av, numpy and zeroconf."""
    with on_one_thread():
        import_module("blink_cli.app.session")
