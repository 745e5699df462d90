"""Who is there, and whom the signals of a session can reach."""
