"""The report of a run as one page of HTML, which needs no network and no manual (docs/lab.md).

    folder of a run (report.json, WAV, decisions) ──> page ──> overview, and each case ──> matrix, and each voice ──> plots, pictures, sounds

page.py          the whole
markup.py        elements of HTML and SVG
format.py        figures as text
happenings.py    what was done to a voice, and when
plot.py          one plot over time: lines, bars, lanes
voice_plots.py   which plots a voice has, each with its title, its unit and one sentence
matrix.py        who heard whom
sounds.py        what was said and heard: pictures of it, and to listen to
"""
