"""From a command to the checks of `doctor`, with the session that runs, if one does."""

from collections.abc import Sequence
from typing import Final

from blink_cli import __version__
from blink_cli.app.control.control_client import ControlClient
from blink_cli.commands.chosen_profile import profile_of
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.work_progress import progress_bar
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.errors import BlinkError, NoSessionError
from blink_cli.doctor.check import Check
from blink_cli.doctor.checks import PHASES, chosen_phases
from blink_cli.doctor.examination import examine
from blink_cli.doctor.finding import Finding
from blink_cli.doctor.session_seen import seen
from blink_cli.doctor.situation import RunningSession, SessionTrouble, Situation, settings_of

NAMED: Final = 3
"""So many checks stand beside the bar: the oldest, which are what one waits for."""


async def examined(
    context: CommandContext, options: SessionOptions, names: Sequence[str]
) -> tuple[Finding, ...]:
    """Run the checks of these names, or all, with a bar on stderr while somebody watches.

    Raises:
        UsageError: There is no such check.

    """
    phases = chosen_phases(names)
    return await findings_on(context, await situation_of(context, options), phases)


async def situation_of(context: CommandContext, options: SessionOptions) -> Situation:
    """Return what there is to look at."""
    profile = profile_of(context.options)
    return Situation(
        profile=profile,
        options=options,
        settings=settings_of(profile),
        session=await _session(context),
        version=__version__,
    )


async def findings_on(
    context: CommandContext, situation: Situation, phases: Sequence[Sequence[Check]] = PHASES
) -> tuple[Finding, ...]:
    """Run checks on it, with a bar as above that names those under way."""
    with progress_bar(context, "checking") as bar:

        def show(share: float, under_way: Sequence[str]) -> None:
            named = ", ".join(under_way[:NAMED])
            bar.entitle(f"checking {named}{' …' if len(under_way) > NAMED else ''}".rstrip())
            bar(share)

        return await examine(situation, phases, show)


async def _session(context: CommandContext) -> RunningSession | SessionTrouble | None:
    try:
        async with context.source.running() as session:
            version = session.hello.version if isinstance(session, ControlClient) else None
            return await seen(session, version)
    except NoSessionError:
        return None
    except TimeoutError:
        return SessionTrouble("it is stopped, or stuck")
    except BlinkError as trouble:
        return SessionTrouble(trouble.message.removesuffix("."))
