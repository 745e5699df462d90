"""How files are opened: for reading, for writing, and folders that are private. Everything that reads or writes a file goes through here."""
