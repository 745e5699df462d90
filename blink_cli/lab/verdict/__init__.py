"""What was seen becomes figures, the figures are held against what was expected, and both become one document."""
