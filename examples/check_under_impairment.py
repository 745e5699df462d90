"""A check of quality: a call must stay good on a line that loses 5 % of all packets, in the same way in every run.

python examples/check_under_impairment.py; echo $?
"""

import asyncio
import tempfile
from pathlib import Path

import blink_cli as blink

GROUP = "239.255.66.80:7668"
LINE = ("in", "loss=5%", "jitter=10ms", "seed=7")
EXPECTED = ("mos(alice)>3", "concealed<8%", "delay_p95<400ms")


async def main(folder: Path, group: str = GROUP, seconds: float = 5.0) -> None:
    """Exit with 6, and what was measured, where it does not."""
    speech = f"file:{blink.sample_speech()}?loop=1"
    async with (
        blink.open_session(
            profile="alice", data_dir=folder, group=group, input=speech, output="null"
        ) as alice,
        blink.open_session(
            profile="bob", data_dir=folder, group=group, input="silence", output="null", auto_accept="anyone"
        ) as bob,
        await alice.offer("bob", wait_s=10) as call,
    ):
        await bob.until(lambda status: status.call is not None, timeout_s=10, what="bob in the call")
        await call.until_connected("bob")
        await bob.impair(*LINE)
        try:
            report = await bob.expect(*EXPECTED, for_s=seconds)
        except blink.ExpectationError as failed:
            print(failed)
            raise SystemExit(int(failed.exit_code)) from None
        for one in report.expectations:
            print(f"ok  {one.text}: {one.measured}")
        impaired = (await bob.impairment()).impairment
        if impaired is not None:
            print(f"lost on purpose: {sum(line.rtp.lost for line in impaired.lines)} packets")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder)))
