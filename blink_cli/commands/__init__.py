"""Parse a line or argv into a request, send it, present the reply."""
