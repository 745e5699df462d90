"""A logged call, played again: offline, in virtual time, through the very code that played it. See docs/replay.md."""
