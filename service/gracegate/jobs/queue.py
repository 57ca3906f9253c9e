"""The durable queue. The only importer of dbos: tickets go in within the webhook's transaction, workers take them out.

Every enqueue of a run has a workflow id of its own (`<run>~<fence>`), so that two reapers which requeue one run are
harmless. A workflow is never recovered by the engine: each life of a worker has an executor id of its own, and the
reaper queues a successor instead.
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
from gracegate.store import Accepted, Delivery, PullHead, Store, Ticket, deliveries, translate_errors

APPLICATION = "gracegate"
# Raised by hand, with the queue drained, when the arguments of the workflow change their shape.
VERSION = "1"
QUEUE = "reviews"
WORKFLOW = "review"
_LIVE = ["ENQUEUED", "DELAYED", "PENDING"]
_OVER = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]

Perform = Callable[[str, int], str]
"""Does a run at a fence and names the state it ended in. Never raises: an ERROR of the engine is final."""


class Taken(NamedTuple):
    """A ticket that an executor has taken out of the queue."""

    run_id: str
    fence: int
    executor: str


class Queue:
    """The queue's way in, for web and workers. Launches nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._client = DBOSClient(
            system_database_engine=store.engine,
            serializer=PortableJSON(),
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )

    def accept(self, delivery: Delivery, pulls: Sequence[PullHead]) -> Accepted:
        """One transaction: the delivery, the newest heads, the runs and their places in the queue."""
        with self._store.transaction() as tx:
            accepted = deliveries.accept(tx, delivery, pulls)
            for ticket in accepted.tickets:
                self.put(tx, ticket)
        return accepted

    def put(self, tx: sa.Connection, ticket: Ticket, delay: float = 0.0) -> None:
        """Queue a ticket within the caller's transaction, to be taken after `delay` seconds."""
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": _workflow_id(ticket.run_id, ticket.fence),
            "queue_partition_key": ticket.partition,
            # Without it only the newest registered version would take the job: none after a rollback.
            "app_version": VERSION,
            "serialization_type": WorkflowSerializationFormat.PORTABLE,
        }
        if delay > 0:
            options["delay_seconds"] = delay
        self._client.enqueue_in_transaction(tx, options, ticket.run_id, ticket.fence)

    def taken(self) -> list[Taken]:
        """What executors have taken and not finished, dead executors included."""
        with translate_errors():
            found = self._client.list_workflows(status="PENDING", name=WORKFLOW, load_input=False, load_output=False)
        return [Taken(*_parts(workflow.workflow_id), workflow.executor_id or "") for workflow in found]

    def lost(self, runs: dict[str, int]) -> dict[str, int]:
        """Those of the runs (id -> fence) that have no live place in the queue."""
        ids = {_workflow_id(run_id, fence): (run_id, fence) for run_id, fence in runs.items()}
        if not ids:
            return {}
        with translate_errors():
            live = self._client.list_workflows(
                workflow_ids=list(ids), status=_LIVE, load_input=False, load_output=False
            )
        return dict(ids[gone] for gone in ids.keys() - {workflow.workflow_id for workflow in live})

    def drop(self, runs: Iterable[tuple[str, int]]) -> None:
        """Cancel the places of runs at old fences, which frees their partitions."""
        if ids := [_workflow_id(run_id, fence) for run_id, fence in runs]:
            with translate_errors():
                self._client.cancel_workflows(ids)

    def forget(self, age: float) -> None:
        """Delete the engine's rows of what ended more than `age` seconds ago."""
        before = datetime.fromtimestamp(time.time() - age, UTC).isoformat()
        with translate_errors():
            found = self._client.list_workflows(
                status=_OVER, completed_before=before, limit=500, load_input=False, load_output=False
            )
            if found:
                self._client.delete_workflows([workflow.workflow_id for workflow in found])


def prepare_queue(store: Store, jobs: JobSettings) -> None:
    """Make or migrate all tables and register the queue: once, before any process of the service starts."""
    _quiet()
    store.create()
    DBOS.migrate(store.url)
    client = DBOSClient(system_database_engine=store.engine, application_name=APPLICATION, lazy=True)
    client.register_queue(
        QUEUE,
        worker_concurrency=jobs.concurrency,
        partition_concurrency=1,
        polling_interval_sec=jobs.poll,
    )


def launch(store: Store, executor: str, perform: Perform) -> None:
    """Take tickets out of the queue in this process, from now until `drain`. `executor` names this life of it alone."""
    _quiet()
    config: DBOSConfig = {
        "name": APPLICATION,
        "system_database_engine": store.engine,
        # Only its scheme is read where an engine is given; without it a SQLite file appears in the working directory.
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
        return perform(run_id, fence)

    DBOS.listen_queues([QUEUE])
    DBOS.launch()


def drain(seconds: float) -> None:
    """Take nothing more out and wait up to `seconds` (in steps of one) for what is running."""
    DBOS.destroy(workflow_completion_timeout_sec=max(1, round(seconds)))


def _quiet() -> None:
    # A handler of ours keeps dbos from adding one that bypasses our log lines; its hints are INFO.
    engine = logging.getLogger("dbos")
    if not engine.handlers:
        engine.addHandler(logging.NullHandler())
    engine.setLevel(logging.WARNING)


def _workflow_id(run_id: str, fence: int) -> str:
    return f"{run_id}~{fence}"


def _parts(workflow_id: str) -> tuple[str, int]:
    run_id, _, fence = workflow_id.rpartition("~")
    return run_id, int(fence)
