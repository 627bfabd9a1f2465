-- A device is in one state: it runs the version, the version failed on it, or (NULL) neither was heard since the offer. The
-- times beside it are those of the first news of each kind.
ALTER TABLE admission ADD COLUMN runs BOOLEAN;
UPDATE admission SET runs = (failed_at IS NULL OR (running_at IS NOT NULL AND running_at > failed_at))
WHERE failed_at IS NOT NULL OR running_at IS NOT NULL;

-- Failures of the version on devices that the task has admitted. ordinal is 1, 2, 3 … within a task without gaps, as in
-- admission: another host reads on from the last it knows.
CREATE TABLE gray_failure (
    task_id   TEXT NOT NULL REFERENCES gray_task (id),
    ordinal   BIGINT NOT NULL,
    guid      TEXT NOT NULL,
    reason    TEXT NOT NULL,
    failed_at BIGINT NOT NULL,
    PRIMARY KEY (task_id, ordinal)
);
CREATE INDEX gray_failure_guid ON gray_failure (task_id, guid);
INSERT INTO gray_failure (task_id, ordinal, guid, reason, failed_at)
SELECT task_id, ROW_NUMBER() OVER (PARTITION BY task_id ORDER BY failed_at, guid), guid, '', failed_at
FROM admission WHERE failed_at IS NOT NULL;

-- failures counts the rows of gray_failure; both change in one transaction that holds this row.
ALTER TABLE gray_task ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
UPDATE gray_task SET failures = (SELECT COUNT(*) FROM gray_failure f WHERE f.task_id = gray_task.id);

-- Hosts ask five times a second what these have admitted.
CREATE INDEX gray_task_live ON gray_task (id) WHERE state <> 'ended' OR honoured;
