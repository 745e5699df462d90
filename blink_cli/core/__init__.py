"""The rules: values and `now` in, effects out. No socket, device, file, thread or clock lives here."""
