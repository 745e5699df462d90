"""The link to one peer: descriptions, DTLS and SRTP, RTP and RTCP."""
