-- What version 8 kept its queue in, cut to what refers to something or is looked at, with one entry.
CREATE TABLE dbos_migrations (version BIGINT NOT NULL PRIMARY KEY);
CREATE TABLE workflow_status (
	workflow_uuid TEXT NOT NULL PRIMARY KEY, status TEXT, queue_name TEXT, application_name TEXT
);
CREATE TABLE workflow_input (
	workflow_uuid TEXT NOT NULL PRIMARY KEY REFERENCES workflow_status (workflow_uuid), inputs TEXT
);
CREATE TABLE operation_outputs (
	workflow_uuid TEXT NOT NULL REFERENCES workflow_status (workflow_uuid) ON DELETE CASCADE,
	function_id INTEGER NOT NULL, PRIMARY KEY (workflow_uuid, function_id)
);
CREATE TABLE queues (queue_id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE, application_name TEXT);
INSERT INTO workflow_status VALUES ('waiting/1~1', 'ENQUEUED', 'reviews', 'gracegate');
INSERT INTO workflow_input VALUES ('waiting/1~1', '["waiting/1", 1]');
INSERT INTO queues VALUES ('1', 'reviews', 'gracegate');
