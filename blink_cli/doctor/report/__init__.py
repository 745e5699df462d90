"""One file for who is to find out what is wrong: what the program knows of itself and its machine, without secrets.

session, profile, machine ──> parts ──> veil ──> stand_ins (--anonymous) ──> archive
"""
