"""Times, paths and JSON as text."""
