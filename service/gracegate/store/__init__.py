"""What gracegate remembers: deliveries, newest heads, runs, verdicts. Nothing is ever read from the engine's tables."""
