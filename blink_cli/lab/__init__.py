"""The laboratory: real sessions, networks, faults and witnesses, for tests, benches and users alike."""
