-- The tables as commit 940d9eb created them, with a row in each.
CREATE TABLE delivery (
	id TEXT NOT NULL,
	event TEXT NOT NULL,
	action TEXT NOT NULL,
	installation_id BIGINT NOT NULL,
	repository_id BIGINT NOT NULL,
	repository TEXT NOT NULL,
	outcome TEXT NOT NULL,
	received_at FLOAT NOT NULL,
	PRIMARY KEY (id)
);
INSERT INTO delivery VALUES ('a', 'pull_request', 'synchronize', 7, 42, 'shop/web', 'queued', 1700000000.0);
CREATE TABLE executor (
	id TEXT NOT NULL,
	beat_at FLOAT NOT NULL,
	PRIMARY KEY (id)
);
INSERT INTO executor VALUES ('host-1-ab', 4000000000.0);
CREATE TABLE gate (
	installation_id BIGINT NOT NULL,
	closed_until FLOAT NOT NULL,
	PRIMARY KEY (installation_id)
);
INSERT INTO gate VALUES (7, 4000000000.0);
CREATE TABLE head (
	repository_id BIGINT NOT NULL,
	number INTEGER NOT NULL,
	sha TEXT NOT NULL,
	run_id TEXT NOT NULL,
	closed BOOLEAN NOT NULL,
	updated_at FLOAT NOT NULL,
	PRIMARY KEY (repository_id, number)
);
INSERT INTO head VALUES (42, 1, 'sha-a', 'a/1', FALSE, 1700000000.0);
CREATE TABLE run (
	id TEXT NOT NULL,
	delivery_id TEXT NOT NULL,
	event TEXT NOT NULL,
	action TEXT NOT NULL,
	installation_id BIGINT NOT NULL,
	repository_id BIGINT NOT NULL,
	repository TEXT NOT NULL,
	number INTEGER NOT NULL,
	head_sha TEXT NOT NULL,
	state TEXT NOT NULL,
	fence INTEGER NOT NULL,
	starts INTEGER NOT NULL,
	failures INTEGER NOT NULL,
	crashes INTEGER NOT NULL,
	executor TEXT,
	error TEXT,
	conclusion TEXT,
	created_at FLOAT NOT NULL,
	updated_at FLOAT NOT NULL,
	finished_at FLOAT,
	PRIMARY KEY (id)
);
INSERT INTO run VALUES (
	'a/1', 'a', 'pull_request', 'synchronize', 7, 42, 'shop/web', 1, 'sha-a', 'waiting',
	2, 1, 1, 0, NULL, '502', NULL, 1700000000.0, 1700000001.0, NULL
);
CREATE TABLE verdict (
	repository_id BIGINT NOT NULL,
	head_sha TEXT NOT NULL,
	number INTEGER NOT NULL,
	verdict TEXT NOT NULL,
	conclusion TEXT NOT NULL,
	concluded_at FLOAT NOT NULL,
	PRIMARY KEY (repository_id, head_sha, number)
);
INSERT INTO verdict VALUES (42, 'sha-a', 1, 'pass', 'success', 1700000000.0);
CREATE INDEX head_by_sha ON head (repository_id, sha);
CREATE INDEX ix_run_delivery_id ON run (delivery_id);
CREATE INDEX ix_run_state ON run (state);
CREATE INDEX run_by_pull_request ON run (repository_id, number);
