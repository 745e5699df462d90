"""A NATS server for a group of people: its folder (certificate, key, settings), and the real `nats-server` that runs from it."""
