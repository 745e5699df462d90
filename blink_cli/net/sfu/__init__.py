"""A server that passes a call's media on: Janus with its plugin VideoRoom."""
