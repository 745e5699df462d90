"""Signals: their content, their seals, their dates, and what protects from those who play them again."""
