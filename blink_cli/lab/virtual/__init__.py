"""Calls in virtual time: the very sender, playout and mixer of the program, and a line between each two, without sockets, threads and clocks.

line.py        one direction between two: what passes, and a witness of it
link_end.py    one end of the link between two sessions
session.py     a microphone, a speaker, and the ends of its links
picture_*.py   a camera, the pictures' end of a link, a screen; session_pictures.py has them all of one session
engine.py      all of a case, moment by moment
"""
