"""A scenario: what is written in a TOML file, and the cases that come of it. Which engine runs them is none of its business."""
