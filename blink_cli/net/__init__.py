"""Sockets and peer connections: what this machine tells of its network, transport of signals, ICE, links that carry audio."""
