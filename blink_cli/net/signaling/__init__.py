"""Transport of signals: UDP sockets, multicast, DNS-SD, and the driver of the gossip machine."""
