-- How a guard watches its gray task; NULL for policies of other kinds.
ALTER TABLE policy_binding ADD COLUMN watch JSONB;

-- Devices that asked while a gray task with a guard delivered, and got the online version: what the guard compares the task
-- with. At most four for each device that the task admits. ordinal is 1, 2, 3 … within a task without gaps.
CREATE TABLE bystander (
    task_id       TEXT NOT NULL REFERENCES gray_task (id),
    guid          TEXT NOT NULL,
    ordinal       BIGINT NOT NULL,
    asked_at      BIGINT NOT NULL,
    downloaded_at BIGINT,
    running_at    BIGINT,
    failed_at     BIGINT,
    PRIMARY KEY (task_id, guid),
    UNIQUE (task_id, ordinal)
);

-- bystanders counts the rows of bystander; both change in one transaction that holds this row.
ALTER TABLE gray_task ADD COLUMN bystanders BIGINT NOT NULL DEFAULT 0;

-- A row for each binding of a guard. since: when the task began to deliver, or was resumed; 0 before the first look. due_at:
-- when the present window is over. counts: how often the guard has said what.
CREATE TABLE guard_watch (
    binding_id  TEXT PRIMARY KEY REFERENCES policy_binding (id),
    task_id     TEXT NOT NULL REFERENCES gray_task (id),
    since       BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    counts      JSONB NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL
);
CREATE INDEX guard_watch_due ON guard_watch (due_at);
CREATE INDEX guard_watch_task ON guard_watch (task_id);

-- The last looks of a guard. in_window and in_all: the counts of the window, and of all so far.
CREATE TABLE guard_look (
    binding_id TEXT NOT NULL REFERENCES guard_watch (binding_id),
    looked_at  BIGINT NOT NULL,
    said       TEXT NOT NULL,
    words      TEXT NOT NULL,
    moved      BOOLEAN NOT NULL,
    in_window  JSONB NOT NULL,
    in_all     JSONB NOT NULL,
    PRIMARY KEY (binding_id, looked_at)
);
