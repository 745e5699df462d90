"""What went wrong with a file, as the end of a sentence."""


def failure_text(failure: Exception) -> str:
    """What the system, or a library, said."""
    return str(getattr(failure, "strerror", None) or failure).lower()
