"""Sockets and peer connections: gossip transport, discovery, the RTP seam."""
