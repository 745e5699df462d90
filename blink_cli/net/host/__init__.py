"""What this machine tells of its network: interfaces, their changes, names, and when a datagram arrived."""
