"""What the caller of an echo peer learns from what comes back."""
