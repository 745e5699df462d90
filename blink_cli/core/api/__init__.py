"""What a user interface and a session say to each other: requests, replies, events, and the names in them."""
