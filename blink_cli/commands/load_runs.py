"""The work behind `blink load`: sounds found, the load run, its progress told. Loads aiortc and numpy."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from blink_cli.app.profile.contacts import Contacts
from blink_cli.app.profile.settings import load_settings
from blink_cli.app.profile.sfu_choice import sfu_choice
from blink_cli.app.session import prepare_process
from blink_cli.commands.chosen_profile import profile_of
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.load_text import progress_text
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.api.sfu_server import NamedSfus
from blink_cli.core.errors import NotFoundError, UsageError
from blink_cli.core.text.path_text import shown
from blink_cli.lab.load.load_report import LoadReport
from blink_cli.lab.load.load_run import LoadPlan, LoadProgress, run_load
from blink_cli.lab.scenario.case import VOICES, Sound, sound_named

TOLD_EVERY_S: Final = 10
"""Where no terminal shows every second how it stands."""


def sounds_named(words: Sequence[str], folder: Path) -> tuple[Sound, ...]:
    """Return the sounds that these words name.

    Raises:
        UsageError: One is no sound.
        NotFoundError: A file is not there.

    """
    sounds = []
    for word in words:
        try:
            sounds.append(sound_named(word, folder))
        except ValueError:
            raise UsageError(f"--input: {word!r} is no tone.", hint="Write `tone:440`.") from None
        except FileNotFoundError as error:
            raise NotFoundError(
                f"--input: there is no sound {shown(Path(error.args[0]))}.",
                hint=f"It is {', '.join(VOICES)}, silence, `tone:HZ`, or a sound file.",
            ) from None
    return tuple(sounds)


async def loaded(
    context: CommandContext,
    options: SessionOptions,
    *,
    participants: int,
    peers: Sequence[str],
    seconds: float,
    sounds: tuple[Sound, ...],
    wait_s: float,
    burst: bool,
) -> LoadReport:
    """Run the load in this process, and say every second how it stands. Arguments as `LoadPlan` has them."""
    prepare_process()
    plan = LoadPlan(participants, tuple(peers), seconds, sounds, wait_s, burst)
    terminal = sys.stderr.isatty() and context.options.verbosity >= 0

    def told(progress: LoadProgress) -> None:
        if terminal:
            sys.stderr.write(f"\r\x1b[K{progress_text(progress)}")
            sys.stderr.flush()
        elif progress.seconds is not None and round(progress.seconds) % TOLD_EVERY_S == 0:
            context.output.message(progress_text(progress))

    profile = profile_of(context.options)
    sfus = NamedSfus()
    if options.sfus:
        sfus = sfu_choice(profile, load_settings(profile.settings_path).sfu, options).servers
    try:
        return await run_load(plan, Contacts(profile.contacts_path), options, told, sfus)
    finally:
        if terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
