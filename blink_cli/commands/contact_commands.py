"""Commands for oneself and for the names one gives to others."""

import typer


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
