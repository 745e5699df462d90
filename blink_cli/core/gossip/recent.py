"""Memory of recent things, bounded and constant in time: two generations, of which the older is dropped whole."""

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class RecentMap(Generic[K, V]):
    """Keeps at least the last `capacity` keys, and at most twice as many. A key set again counts as new."""

    __slots__ = ("_capacity", "_old", "_young")

    def __init__(self, capacity: int) -> None:
        """Begin empty."""
        self._capacity = capacity
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __contains__(self, key: K) -> bool:
        return key in self._young or key in self._old

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def get(self, key: K) -> V | None:
        """The value, if it is still known."""
        value = self._young.get(key)
        return self._old.get(key) if value is None else value

    def set(self, key: K, value: V) -> None:
        """Remember; what is oldest may be forgotten."""
        if len(self._young) >= self._capacity and key not in self._young:
            self._old, self._young = self._young, {}
        self._young[key] = value
