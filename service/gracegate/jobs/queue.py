"""The durable queue, kept by DBOS: a webhook's transaction enqueues runs, workers dequeue them.

Each time a run is enqueued its DBOS workflow gets an id of its own (`<run>~<fence>`), so that it does no harm when two
reapers requeue the same run. DBOS never recovers a workflow here: every worker process has a new executor id, and the
reaper enqueues the run again instead.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions, WorkflowSerializationFormat
from dbos import DBOSPortableJSONSerializer as PortableJSON

from gracegate.settings import JobSettings
from gracegate.store import Delivery, Store, Subject, Ticket, deliveries, runs, translate_errors

APPLICATION = "gracegate"
# Raise it by hand when the arguments of the workflow change; the queue has to be empty then.
VERSION = "1"
QUEUE = "reviews"
WORKFLOW = "review"
_BATCH = 500
_LIVE_STATUSES = ["ENQUEUED", "DELAYED", "PENDING"]
_FINAL_STATUSES = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]

PerformRun = Callable[[str, int], str]
"""Does the run of this id at this fence; returns its state afterwards. Never raises: DBOS does not retry a workflow."""


class LeasedRun(NamedTuple):
    """A run that an executor has dequeued and not finished."""

    run_id: str
    fence: int
    executor: str


class Queue:
    """Enqueues runs and looks after the queue's rows; `launch` is what dequeues."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._client = DBOSClient(
            system_database_engine=store.engine,
            serializer=PortableJSON(),
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )

    def accept(self, delivery: Delivery, subjects: Sequence[Subject]) -> str:
        """Record a delivery and enqueue its runs in one transaction; returns the outcome, see deliveries.accept."""
        with self._store.transaction() as tx:
            return deliveries.accept(tx, delivery, subjects, lambda ticket: self.enqueue(tx, ticket))

    def recheck_merge_group(self, delivery: Delivery, head_sha: str) -> str:
        """Record a delivery that tells of the end of a merge group; its unfinished runs ask GitHub."""
        with self._store.transaction() as tx:
            if not deliveries.record(tx, delivery, "recorded"):
                return "duplicate"
            for ticket in runs.requeue_merge_group(tx, delivery.repository_id, head_sha):
                self.enqueue(tx, ticket)
        return "recorded"

    def enqueue(self, tx: sa.Connection, ticket: Ticket, delay: float = 0.0) -> None:
        """Enqueue a run in the caller's transaction; it can be dequeued after `delay` seconds."""
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": _workflow_id(ticket.run_id, ticket.fence),
            "queue_partition_key": ticket.partition,
            # Without it only the newest registered version would dequeue it: after a rollback no worker.
            "app_version": VERSION,
            "serialization_type": WorkflowSerializationFormat.PORTABLE,
        }
        if delay > 0:
            options["delay_seconds"] = delay
        self._client.enqueue_in_transaction(tx, options, ticket.run_id, ticket.fence)

    def leased_runs(self) -> list[LeasedRun]:
        """The runs that executors have dequeued and not finished, those of dead executors included."""
        with translate_errors():
            found = self._client.list_workflows(status="PENDING", name=WORKFLOW, load_input=False, load_output=False)
        return [LeasedRun(*_run_and_fence(workflow.workflow_id), workflow.executor_id or "") for workflow in found]

    def missing_runs(self, runs: dict[str, int]) -> dict[str, int]:
        """Those of `runs` (id -> fence) that are neither enqueued nor leased."""
        ids = {_workflow_id(run_id, fence): (run_id, fence) for run_id, fence in runs.items()}
        if not ids:
            return {}
        with translate_errors():
            live = self._client.list_workflows(
                workflow_ids=list(ids), status=_LIVE_STATUSES, load_input=False, load_output=False
            )
        return dict(ids[missing] for missing in ids.keys() - {workflow.workflow_id for workflow in live})

    def cancel(self, runs: Iterable[tuple[str, int]]) -> None:
        """Cancel the workflows of runs at old fences (id, fence), which frees their partitions."""
        if ids := [_workflow_id(run_id, fence) for run_id, fence in runs]:
            with translate_errors():
                self._client.cancel_workflows(ids)

    def delete_finished(self, age: float) -> bool:
        """Delete rows of workflows that ended more than `age` seconds ago; whether there may be more of them."""
        before = datetime.fromtimestamp(time.time() - age, UTC).isoformat()
        with translate_errors():
            found = self._client.list_workflows(
                status=_FINAL_STATUSES, completed_before=before, limit=_BATCH, load_input=False, load_output=False
            )
            if found:
                self._client.delete_workflows([workflow.workflow_id for workflow in found])
        return len(found) == _BATCH


def prepare_queue(store: Store, jobs: JobSettings) -> None:
    """Create or migrate all tables and register the queue: once, before any process of the service starts."""
    _silence_dbos()
    store.migrate()
    DBOS.migrate(store.url)
    client = DBOSClient(system_database_engine=store.engine, application_name=APPLICATION, lazy=True)
    client.register_queue(
        QUEUE,
        worker_concurrency=jobs.concurrency,
        partition_concurrency=1,
        polling_interval_sec=jobs.poll,
    )


def launch(store: Store, executor: str, perform_run: PerformRun) -> None:
    """Dequeue and do runs in this process until `shut_down`. `executor` must never have been used before."""
    _silence_dbos()
    config: DBOSConfig = {
        "name": APPLICATION,
        "system_database_engine": store.engine,
        # Of the URL only the scheme is read; without it DBOS makes a SQLite file in the working directory.
        "system_database_url": store.url,
        "executor_id": executor,
        "application_version": VERSION,
        "serializer": PortableJSON(),
        "run_migrations": False,
        "use_listen_notify": False,
        "log_level": "WARNING",
    }
    DBOS(config=config)

    @DBOS.workflow(name=WORKFLOW)
    def review(run_id: str, fence: int) -> str:
        return perform_run(run_id, fence)

    DBOS.listen_queues([QUEUE])
    DBOS.launch()


def shut_down(seconds: float) -> None:
    """Dequeue nothing more and wait up to `seconds` (in steps of one) for the running reviews."""
    DBOS.destroy(workflow_completion_timeout_sec=max(1, round(seconds)))


def _silence_dbos() -> None:
    # If its logger has no handler DBOS adds one, which would write lines that are not JSON; its hints are INFO.
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.setLevel(logging.WARNING)


def _workflow_id(run_id: str, fence: int) -> str:
    return f"{run_id}~{fence}"


def _run_and_fence(workflow_id: str) -> tuple[str, int]:
    run_id, _, fence = workflow_id.rpartition("~")
    return run_id, int(fence)
