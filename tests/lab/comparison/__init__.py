"""What became better or worse."""
