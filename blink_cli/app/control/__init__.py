"""The control socket: other processes of this user ask a running session, and listen to it."""
