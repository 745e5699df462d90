"""Lines of a paragraph that say first what they are about."""

LABEL_WIDTH = 14


def labelled(label: str, text: str) -> str:
    """Return a line of a paragraph: what it is about, and what is said of it."""
    return f"  {label:<{LABEL_WIDTH}}{text}"
