"""Group audio calls between terminals, without a server, that one can hear, record, measure and script."""
