"""A session's log: what happened and what went wrong, in a file of the profile that only its user reads.

any thread ── logging ──> LogQueue (bounded) ──> [thread "blink-log"] ──> LogFile, rotating; stderr
"""
