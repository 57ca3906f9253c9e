"""Durable runs: a delivery that was acknowledged ends as a concluded check, whatever dies in between."""

from __future__ import annotations

from gracegate.jobs.worker import mark_dead, run_worker

__all__ = ["mark_dead", "run_worker"]
