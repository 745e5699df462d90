"""Cameras, real ones and made-up ones, behind one interface (`interface.py`); `opener.py` goes from a name to one."""
