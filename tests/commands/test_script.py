"""`source FILE`: the lines of a file, until one fails."""

from pathlib import Path

import pytest

from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.commands.parsing import ExitWith
from blink_cli.commands.program import entry_point
from blink_cli.commands.script import MOST_FILES, run_file
from blink_cli.commands.session_sources import PresentSource
from blink_cli.core.api.requests import LeaveCall, PlaceOffer, SetDeafened, SetMuted
from blink_cli.core.errors import BlinkError
from blink_cli.core.exit_codes import ExitCode
from tests.support.scripted_session import ScriptedSession

pytestmark = pytest.mark.no_clock


@pytest.fixture
def session() -> ScriptedSession:
    return ScriptedSession()


@pytest.fixture
def context(session: ScriptedSession) -> CommandContext:
    return CommandContext(GlobalOptions(color=False), PresentSource(session), commands=entry_point)


async def test_each_line_is_a_command_and_comments_are_none(
    session: ScriptedSession, context: CommandContext, tmp_path: Path
) -> None:
    script = tmp_path / "setup.blink"
    script.write_text("\ufeff# a call\n\nmute\n  offer bob\nblink leave", encoding="utf-8")
    await run_file(script, context)
    assert session.asked == [SetMuted(muted=True), PlaceOffer(peers=("bob",)), LeaveCall()]


async def test_the_first_line_that_fails_ends_it_with_its_code(
    session: ScriptedSession, context: CommandContext, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    inner.write_text("mute\noffer nobody\ndeafen\n")
    outer.write_text(f"unmute\nsource {inner}\ndeafen\n")
    with pytest.raises(ExitWith) as ending:
        await run_file(outer, context)
    assert ending.value.code == ExitCode.NOT_FOUND
    assert SetDeafened(deafened=True) not in session.asked
    told = capsys.readouterr().err.replace("\n  ", " ")
    assert "No peer is called 'nobody'" in told
    assert f"stopped at line 2 of {inner}: offer nobody" in told
    assert f"stopped at line 2 of {outer}: source {inner}" in told


async def test_files_that_source_themselves_end(
    context: CommandContext, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text(f"source {other}")
    other.write_text(f"source {tmp_path}/./one")
    with pytest.raises(ExitWith) as ending:
        await run_file(one, context)
    assert ending.value.code == ExitCode.USAGE
    assert "sources itself" in capsys.readouterr().err


async def test_a_long_chain_of_files_ends(context: CommandContext, tmp_path: Path) -> None:
    for number in range(MOST_FILES + 1):
        (tmp_path / f"{number}").write_text(f"source {tmp_path}/{number + 1}")
    (tmp_path / f"{MOST_FILES + 1}").write_text("# the end")
    with pytest.raises(ExitWith) as ending:
        await run_file(tmp_path / "0", context)
    assert ending.value.code == ExitCode.USAGE
    await run_file(tmp_path / "2", context)


async def test_what_is_no_file_of_commands_is_told(context: CommandContext, tmp_path: Path) -> None:
    with pytest.raises(BlinkError, match="cannot be read: No such file"):
        await run_file(tmp_path / "missing", context)
    with pytest.raises(BlinkError, match="cannot be read"):
        await run_file(tmp_path, context)


async def test_a_file_that_holds_no_commands_moves_no_cursor(
    context: CommandContext, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"\x1b]0;owned\x07" + b"x" * 5000)
    with pytest.raises(ExitWith):
        await run_file(wrong, context)
    last = capsys.readouterr().err.rpartition("stopped at line 1")[2]
    assert len(last) < 600
    assert not {"\x1b", "\x07"} & set(last)
