"""The locks say what pyproject.toml asks for, and nothing else."""
