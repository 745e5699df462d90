"""Pictures of a call on their way into a recording: in their place in time, of one size, with a sign where there are none, encoded again."""
