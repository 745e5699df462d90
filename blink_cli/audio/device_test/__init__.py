"""Trying one device alone: what a microphone delivers, whether a speaker plays, and whether either keeps its time."""
