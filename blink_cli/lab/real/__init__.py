"""Scenarios with real sessions: each participant is a `blink serve` on a host of its own, over a wire that is as bad as the scenario says.

network.py       the hosts and the wire, or this machine's loopback where there is no root
participant.py   one session: started, told what to do, and asked where its devices stand
timeline.py      where the sound of its files lies in the scenario's time
engine.py        all of a case, from the first start to the last sound file
"""
