"""Many light participants in one process, which call a session, speak and count (docs/load.md).

load_run.py            from the first offer to the last goodbye
light_participant.py   one participant: identity, signals, call, media
light_media.py         its links, and what they count
light_group.py         all of them on one socket for signals
send_pace.py           one timer that sends for all
speech_frames.py       what they say, encoded once
peer_finder.py         whom they call
load_report.py         what came of it
"""
