"""The rules of a call, pure: inputs and `now` in, effects out (docs/call.md tells them in plain words).

transitions   what may follow what, as two tables
settings      every timing and bound, with its reason
dialling      who dials whom, and how a dialling is numbered
membership    what is believed about the others: who is in, in which life, in which state
link          the audio connection to one participant
announcing    when this session announces itself
conversation  this session's part in the call that it is in
pending       the calls it could join, and which one goes when there are too many
farewells     what is still being said after its call is gone
snapshot      the values that status, panels and tests read
machine       the whole: `CallMachine`, one per session

Each is one idea; the machine holds them together.
"""
