"""A recursive filter in numpy: exact, and without a step of Python for each sample.

In state-space form `s' = A s + B x, y = C s + D x`, a row of 32 samples is a matrix product: what its own samples make of it (a triangular
matrix of the impulse response), and what the state at its beginning adds. The states at the beginnings of the rows come from one another in the same
way, 15 rows at a time, and those of such groups once more: three products in place of one step after the other.

Source: Blelloch, Prefix Sums and Their Applications (CMU-CS-90-190), section 1.4, linear recurrences, and 1.2.1, sums of blocks.
"""

import functools
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ROW_SAMPLES: Final = 32
"""Longer rows cost more products for each sample, shorter ones more states."""

GROUP_ROWS: Final = 15
"""A tenth of a second at 48 kHz is ten groups."""

MOST_SAMPLES: Final = 32 * GROUP_ROWS * ROW_SAMPLES
"""Longer sound is filtered piece by piece: what leads from each group to all behind it grows with the square of their number."""

STATES: Final = 4
"""Of two biquads."""


class Biquad(msgspec.Struct, frozen=True):
    """A filter of second order, `a0` being 1: `y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2]`."""

    b0: float
    b1: float
    b2: float
    a1: float
    a2: float

    @property
    def state_space(self) -> tuple[Floats, Floats, Floats, float]:
        """A, B, C and D of the transposed direct form II."""
        a = np.array([[-self.a1, 1.0], [-self.a2, 0.0]])
        b = np.array([self.b1 - self.a1 * self.b0, self.b2 - self.a2 * self.b0])
        return a, b, np.array([1.0, 0.0]), self.b0


def _chained(step: Floats, rows: int, columns: int, *, first: int) -> Floats:
    """Block (j, i) of so many: `step` to the power of i - j - `first`, for row vectors; nothing where that is negative."""
    powers = [np.linalg.matrix_power(step, power) for power in range(max(rows, columns))]
    nothing = np.zeros_like(step)
    return np.block(
        [[powers[i - j - first] if i - j >= first else nothing for i in range(columns)] for j in range(rows)]
    )


class _Matrices:
    """What two biquads make of a row. The same for all sounds of a rate: those of a call's voices stay in the processor's cache from one to the next."""

    def __init__(self, first: Biquad, second: Biquad) -> None:
        a1, b1, c1, d1 = first.state_space
        a2, b2, c2, d2 = second.state_space
        a = np.block([[a1, np.zeros((2, 2))], [np.outer(b2, c1), a2]])
        b = np.concatenate([b1, b2 * d1])
        c = np.concatenate([d2 * c1, c2])
        powers = [np.linalg.matrix_power(a, power) for power in range(ROW_SAMPLES + 1)]
        into = np.stack([power @ b for power in powers[:ROW_SAMPLES]])
        impulse = np.concatenate([[d1 * d2], into[:-1] @ c])
        lag = np.subtract.outer(np.arange(ROW_SAMPLES), np.arange(ROW_SAMPLES))
        # All are for row vectors, and each in one piece of memory: others take numpy another, slower way.
        self.powers: Final[list[Floats]] = [np.ascontiguousarray(power.T) for power in powers]
        """A to the power of 0 to `ROW_SAMPLES`."""

        self.into_state: Final[Floats] = np.ascontiguousarray(into[::-1])
        """Row j: what sample j of a row leaves in the state at the row's end."""

        self.out_of_state: Final[Floats] = np.ascontiguousarray(
            np.stack([c @ power for power in powers[:ROW_SAMPLES]]).T
        )
        """Column i: what the state at a row's beginning gives to its sample i."""

        self.response: Final[Floats] = np.where(lag <= 0, impulse[np.maximum(-lag, 0)], 0.0)
        """Row j: what sample j of a row gives to its samples."""

        row = self.powers[ROW_SAMPLES]
        self.within: Final[Floats] = _chained(row, GROUP_ROWS, GROUP_ROWS + 1, first=1)
        """From what each row of a group adds to the states at the beginning of each, and at the group's end."""

        self.carried: Final[Floats] = _chained(row, 1, GROUP_ROWS, first=0)
        """From the state at a group's beginning to what of it is left at the beginning of each row."""

        self._group = np.linalg.matrix_power(row, GROUP_ROWS)
        self._across: dict[int, Floats] = {}

    def across(self, groups: int) -> Floats:
        """From the first state and what each of so many groups adds to the states at the beginning of each, and behind the last. Any thread."""
        found = self._across.get(groups)
        if found is None:
            found = self._across[groups] = _chained(self._group, groups + 1, groups + 1, first=0)
        return found


@functools.lru_cache(maxsize=16)
def _matrices(first: Biquad, second: Biquad) -> _Matrices:
    return _Matrices(first, second)


class LinearFilter:
    """Two biquads, one behind the other, on any number of channels. One thread at a time."""

    def __init__(self, first: Biquad, second: Biquad, channels: int) -> None:
        self._matrices = _matrices(first, second)
        self._state: Floats = np.zeros((channels, STATES))

    def reset(self) -> None:
        """Forget what was heard."""
        self._state = np.zeros_like(self._state)

    def process(self, samples: Floats) -> Floats:
        """Return the filtered sound, float64 of the shape of `samples`, `(channels, n)`, of any `n`; finite."""
        if samples.shape[1] <= MOST_SAMPLES:
            return self._process(samples)
        pieces = range(0, samples.shape[1], MOST_SAMPLES)
        return np.concatenate([self._process(samples[:, at : at + MOST_SAMPLES]) for at in pieces], axis=1)

    def _process(self, samples: Floats) -> Floats:
        matrices = self._matrices
        channels, length = samples.shape
        rows, rest = divmod(length, ROW_SAMPLES)
        filtered = np.empty_like(samples)
        whole = rows * ROW_SAMPLES
        if rows:
            blocks = samples[:, :whole].reshape(channels, rows, ROW_SAMPLES)
            states = self._states(blocks @ matrices.into_state)
            rows_out = blocks @ matrices.response
            rows_out += states[:, :rows] @ matrices.out_of_state
            filtered[:, :whole] = rows_out.reshape(channels, whole)
            self._state = states[:, rows]
        if rest:
            tail = samples[:, whole:]
            filtered[:, whole:] = (
                tail @ matrices.response[:rest, :rest] + self._state @ matrices.out_of_state[:, :rest]
            )
            self._state = self._state @ matrices.powers[rest] + tail @ matrices.into_state[-rest:]
        return filtered

    def _states(self, added: Floats) -> Floats:
        """Return the states at the beginnings of all rows, and behind the last, from what each row adds, `(channels, rows, 4)`."""
        matrices = self._matrices
        channels, rows, _ = added.shape
        groups = -(-rows // GROUP_ROWS)
        if rows % GROUP_ROWS:
            padded = np.zeros((channels, groups * GROUP_ROWS, STATES))
            padded[:, :rows] = added
            added = padded
        made = added.reshape(channels, groups, GROUP_ROWS * STATES) @ matrices.within
        ends = np.concatenate([self._state, made[:, :, -STATES:].reshape(channels, -1)], axis=1)
        starts = (ends @ matrices.across(groups)).reshape(channels, groups + 1, STATES)
        made[:, :, :-STATES] += starts[:, :-1] @ matrices.carried
        begins = made[:, :, :-STATES].reshape(channels, groups * GROUP_ROWS, STATES)
        return np.concatenate([begins, starts[:, -1:]], axis=1)
