"""What a handler of `logging` has in place of a lock when it needs none.

Until Python 3.12 it could have None; since 3.13 `logging` enters the lock without asking whether there is one.
"""


class NoLock:
    """Is always free."""

    def acquire(self) -> bool:
        """Take it, at once."""
        return True

    def release(self) -> None:
        """Give it back."""

    def __enter__(self) -> bool:
        return True

    def __exit__(self, *_: object) -> None:
        pass
