"""Calls: carries out what the rules decide, answers what users ask, knows who is around."""
