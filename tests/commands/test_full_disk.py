"""A full disk is no mistake of the program, and is said so."""

import errno
import os

import pytest

from blink_cli.commands.parsing import as_blink_error

pytestmark = pytest.mark.no_clock


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_as_such(number: int) -> None:
    """The system gives a write's failure no name of a file."""
    error = as_blink_error(OSError(number, os.strerror(number)))
    assert error.message == f"{os.strerror(number)}."
    assert "make room" in str(error.hint)
