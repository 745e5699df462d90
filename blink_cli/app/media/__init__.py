"""The audio of a session: devices, links, what is heard of whom, and who watches it."""
