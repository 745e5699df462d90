"""Tests of `blink_cli.codec`."""
