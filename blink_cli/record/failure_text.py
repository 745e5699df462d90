"""What went wrong with a file, as the end of a sentence."""


def failure_text(failure: Exception) -> str:
    """What the system, or a library, said: the middle of a sentence, without its file and its full stop."""
    said = getattr(failure, "strerror", None) or getattr(failure, "error_string", None) or failure
    return str(said).lower().rstrip(".")
