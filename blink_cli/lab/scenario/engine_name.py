"""Who can run a case."""

from typing import Literal

EngineName = Literal["virtual", "real"]
