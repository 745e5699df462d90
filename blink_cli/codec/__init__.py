"""The codec tool: what Opus, its packets and a bad line make of a sound file, in virtual time; loudness over time; microphone to speaker through the codec."""
