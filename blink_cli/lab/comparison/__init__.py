"""Two reports of the same cases, held against each other, so that chance is not taken for progress (docs/lab.md).

student_t.py   how far a mean of a few values may be from the truth
figures.py     which figures are compared, and what is better
document.py    what `lab compare` prints
comparing.py   pairs by case and seed, intervals, verdicts
"""
