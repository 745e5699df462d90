"""A recursive filter in numpy: exact, and without a step of Python for each sample.

In state-space form `s' = A s + B x, y = C s + D x`, a row of 64 samples is a matrix product: what its own samples make of it (a triangular
matrix of the impulse response), and what the state at its beginning adds. The states at the beginnings of all rows come from one another by the
same matrix, so that `log2` of their number steps find them all (a prefix sum with matrices instead of additions).

Source: Blelloch, Prefix Sums and Their Applications (CMU-CS-90-190), section 1.4, linear recurrences; Hillis and Steele, CACM 29 (12), 1986.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ROW_SAMPLES: Final = 64
"""Longer rows cost more products for each sample, shorter ones more states."""


@dataclass(frozen=True, slots=True)
class Biquad:
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


class LinearFilter:
    """Two biquads, one behind the other, on any number of channels. One thread at a time."""

    def __init__(self, first: Biquad, second: Biquad, channels: int) -> None:
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
        self._powers: list[Floats] = [np.ascontiguousarray(power.T) for power in powers]
        """A to the power of 0 to 64."""

        self._into_state: Floats = np.ascontiguousarray(into[::-1])
        """Row j: what sample j of a row leaves in the state at the row's end."""

        self._out_of_state: Floats = np.ascontiguousarray(
            np.stack([c @ power for power in powers[:ROW_SAMPLES]]).T
        )
        """Column i: what the state at a row's beginning gives to its sample i."""

        self._response: Floats = np.where(lag <= 0, impulse[np.maximum(-lag, 0)], 0.0)
        """Row j: what sample j of a row gives to its samples."""

        self._doublings: list[Floats] = [self._powers[ROW_SAMPLES]]
        """What leads from the end of a row to those 1, 2, 4, 8 … rows behind it; as many as were needed yet."""

        self._state: Floats = np.zeros((channels, 4))

    def reset(self) -> None:
        """Forget what was heard."""
        self._state = np.zeros_like(self._state)

    def process(self, samples: Floats) -> Floats:
        """Return the filtered sound, float64 of the shape of `samples`, `(channels, n)`, of any `n`; finite."""
        channels, length = samples.shape
        rows, rest = divmod(length, ROW_SAMPLES)
        filtered = np.empty_like(samples)
        whole = rows * ROW_SAMPLES
        if rows:
            blocks = samples[:, :whole].reshape(channels, rows, ROW_SAMPLES)
            ends = self._ends_of_rows(blocks @ self._into_state)
            begins = np.concatenate([self._state[:, None, :], ends[:, :-1]], axis=1)
            rows_out = blocks @ self._response
            rows_out += begins @ self._out_of_state
            filtered[:, :whole] = rows_out.reshape(channels, whole)
            self._state = ends[:, -1]
        if rest:
            tail = samples[:, whole:]
            filtered[:, whole:] = (
                tail @ self._response[:rest, :rest] + self._state @ self._out_of_state[:, :rest]
            )
            self._state = self._state @ self._powers[rest] + tail @ self._into_state[-rest:]
        return filtered

    def _ends_of_rows(self, added: Floats) -> Floats:
        """Return the states at the ends of all rows, from what each row adds, `(channels, rows, 4)`."""
        ends = added
        ends[:, 0] += self._state @ self._powers[ROW_SAMPLES]
        for doubling in range((ends.shape[1] - 1).bit_length()):
            if doubling == len(self._doublings):
                self._doublings.append(self._doublings[-1] @ self._doublings[-1])
            distance = 1 << doubling
            ends[:, distance:] += ends[:, :-distance] @ self._doublings[doubling]
        return ends
