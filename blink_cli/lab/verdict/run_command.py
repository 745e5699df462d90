"""The command line that makes a run again."""

import shlex
from dataclasses import dataclass

from blink_cli.core.text.path_text import as_word
from blink_cli.lab.scenario.engine_name import EngineName


@dataclass(frozen=True, slots=True)
class RunCommand:
    """What was asked of `blink lab run`, as far as it decides what is measured."""

    scenarios: tuple[str, ...]
    """As they were named."""

    engine: EngineName
    seeds: int = 1
    only: tuple[str, ...] = ()
    """Names of cases; none: all of them."""

    def text(self) -> str:
        """All of the run."""
        return self._with(self.only)

    def of_case(self, name: str) -> str:
        """One case of it alone."""
        return self._with((name,))

    def _with(self, names: tuple[str, ...]) -> str:
        words = ["blink", "lab", "run", *(as_word(one) for one in self.scenarios)]
        if self.engine != "virtual":
            words += ["--engine", self.engine]
        if self.seeds > 1:
            words += ["--seeds", str(self.seeds)]
        for name in names:
            words += ["--case", shlex.quote(name)]
        return " ".join(words)
