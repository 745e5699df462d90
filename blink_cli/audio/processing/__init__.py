"""The capture chain: from the microphone's blocks to what is encoded."""
