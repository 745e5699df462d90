"""A line that is as bad as one asks: pure, seeded, in the caller's time.

    conditions.py   how bad one direction is
    loss_chain.py   which datagrams are lost: random, Gilbert-Elliott, four states
    delay_trace.py  delays and losses that somebody measured
    line.py         what becomes of each datagram
    line_queue.py   what is under way on a line
    quantities.py   shares, durations and rates as people write them
    words.py        conditions as words: `loss=3% burst=4 delay=40ms seed=7`

It is the one model of the laboratory's wire, its simulation, the codec tool and `impair`; docs/impairment.md says what the words mean.
"""
