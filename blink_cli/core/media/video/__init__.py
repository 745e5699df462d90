"""Packets of pictures and what follows from them: payload, frames, what is asked for again, how much may be sent. Loaded when a call has video."""
