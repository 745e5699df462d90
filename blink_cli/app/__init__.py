"""The composition root: builds every room, joins them, owns start and stop."""
