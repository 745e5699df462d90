"""Replies by subject. `core/api/reply.py` has the union of all."""
