"""The tests, and what they share; modules here are imported as `tests.<folder>.<module>`."""
