"""Calls in the tests of users: the pytest fixture `blink_lab` (docs/api.md). Loads nothing but itself until a test asks for it."""
