"""Durable work: a delivery that was acknowledged ends as a concluded check, whatever dies in between."""
