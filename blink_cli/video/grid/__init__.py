"""All participants of a recording in one picture, each in a tile with a name."""
