"""Threads, tasks and timers: what starts, waits and is stopped, once each."""
