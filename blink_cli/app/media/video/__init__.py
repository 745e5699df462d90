"""The pictures of a call: who sends and gets them, and what is told of them. What it takes is loaded when somebody wants pictures."""
