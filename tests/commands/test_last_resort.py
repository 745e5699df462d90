"""A process that a library holds ends all the same, and says how its command ended."""

import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.no_clock(sockets=True)

HELD = textwrap.dedent("""
    import asyncio, sys, threading, types
    from blink_cli.commands import last_resort, main
    from blink_cli.commands.invocation import Job
    from blink_cli.core.errors import NotFoundError

    async def held():
        asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
        ending = sys.argv[1]
        if ending == "fails":
            raise NotFoundError("Nobody answered.", hint="Does `blink peers` show anybody?")
        if ending == "interrupted":
            raise KeyboardInterrupt
        print("done")

    last_resort.PATIENCE_S = 0.2
    sys.modules["sounddevice"] = types.ModuleType("sounddevice")
    main.parse = lambda program, line, invocation: Job(run=held(), context=main._context(invocation.options), hosts=True)
    sys.exit(main.main([]))
""")


@pytest.mark.parametrize(
    ("ending", "exit_code", "said"),
    [("ends", 0, "done"), ("fails", 3, "Nobody answered."), ("interrupted", 130, "")],
)
def test_a_process_that_is_held_says_how_its_command_ended(ending: str, exit_code: int, said: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", HELD, ending], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == exit_code, ran.stderr
    assert said in ran.stdout + ran.stderr
