"""Whether the microphone hears a voice now, every 10 ms.

detector.py      what each detector can do
speech.py        by what speech sounds like: the earshot library, behind this door alone
loudness.py      by loudness above the room: where that library is missing, and for test tones
noise_floor.py   how loud the room is
decimation.py    48 kHz to the 16 kHz that earshot hears, 0.4 ms late
choice.py        which detector a microphone gets
"""
