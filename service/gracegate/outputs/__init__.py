"""A module per rendering of a report; each is a pure function from the report to what is shown."""
