"""What somebody expects of a call, as one line of text, and whether it is so: the laboratory and `blink assert` read the same words."""
