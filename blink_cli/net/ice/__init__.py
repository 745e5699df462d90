"""ICE of one link: addresses, STUN and TURN servers, checks, and which way packets go (RFC 8445)."""
