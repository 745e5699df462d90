"""What a session writes of its calls: recordings and RTP logs, and the work on them afterwards."""
