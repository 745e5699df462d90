"""End-to-end encryption of media that pass a server (RFC 9605)."""
