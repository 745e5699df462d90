"""Files about a call: recordings, RTP logs and their analysis."""
