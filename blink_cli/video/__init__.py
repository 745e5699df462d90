"""Pictures: cameras, what was seen last of everybody, codecs. A session without video imports nothing of it."""
