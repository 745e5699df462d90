"""Pictures on a terminal: half blocks in colour anywhere, kitty's graphics and sixel where the terminal answers that it can."""
