"""The core: a pure function from trees, rules and configuration to a report."""
