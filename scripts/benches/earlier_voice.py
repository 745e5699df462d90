"""`bench voice --against REV`: the same voices and traces through another revision, by the bench that it has itself.

So its network is its own: before this bench had a round trip, bursts were counted in packets and not by the clock, and nothing was asked for again. What it does
not know, a trace or an option, is left out; but not an option that makes them other calls, such as another seed.
"""

import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benches.checkouts import checked_out

_RECEIVER: Final = "blink"


def earlier_rows(
    revision: str,
    traces: Sequence[str],
    voices: Sequence[str],
    options: Mapping[str, str],
    needed: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Return its rows, as its `--json` has them, with the revision as receiver.

    Args:
        revision: As git knows it.
        traces: Wanted; those that it does not know are left out.
        voices: Files.
        options: Further ones of the command line with their values, each where it knows it.
        needed: Likewise, that it must know.

    Raises:
        RuntimeError: git knows no such revision, it has no such bench, or that does not know what is needed.

    """
    with tempfile.TemporaryDirectory() as folder:
        checkout = checked_out("earlier", revision, Path(folder), Path(sys.executable))
        # Lines are broken anywhere in a list of names.
        known = re.sub(r"\s+", "", checkout.bench_output("voice", "--help"))
        common = [trace for trace in traces if re.search(rf"[,f]{trace}[^a-z0-9]", known)]
        if not common:
            return []
        speech = [str(Path(voice).resolve()) for voice in voices]
        if unknown := [name for name in needed if name not in known]:
            raise RuntimeError(f"the bench of {revision} does not know {', '.join(unknown)}: leave it out")
        taken = {name: value for name, value in options.items() if name in known} | dict(needed)
        given = [word for pair in taken.items() for word in pair]
        rows = json.loads(
            checkout.bench_output(
                "voice", "--json", "--traces", ",".join(common), "--speech", ",".join(speech), *given
            )
        )["rows"]
    return [{**row, "receiver": revision} for row in rows if row["receiver"] == _RECEIVER]
