-- What waits for people is found by what waits, and never by a look at all that does not.
CREATE INDEX audit_item_undecided ON audit_item (audit_id, host_app_id) WHERE decision IS NULL;
CREATE INDEX binding_waiting ON binding (created_at) WHERE state <> 'active';
CREATE INDEX version_approved ON version (updated_at) WHERE state = 'approved';
CREATE INDEX version_rejected ON version (updated_at, mini_app_id, id) WHERE state = 'rejected';
CREATE INDEX version_ready ON version (mini_app_id, major, minor, patch) WHERE state IN ('approved', 'online');
CREATE INDEX version_newest ON version (mini_app_id, id) WHERE state <> 'deleted';
CREATE INDEX admission_failed ON admission (task_id, failed_at) WHERE NOT runs;
CREATE INDEX fulfilment_waiting ON fulfilment (received_at) WHERE state = 'parked';
CREATE INDEX webhook_delivery_dead ON webhook_delivery (webhook_id, updated_at) WHERE state = 'dead';
CREATE INDEX permit_waiting ON permit (kind, applied_at) WHERE state = 'waiting';

-- How many gray tasks of a MiniApp deliver.
CREATE INDEX gray_task_delivering ON gray_task (mini_app_id) WHERE state = 'delivering';

-- Since when a channel is authorised or not.
ALTER TABLE channel ADD COLUMN state_at BIGINT NOT NULL DEFAULT 0;
UPDATE channel SET state_at = authorised_at;
CREATE INDEX channel_unauthorised ON channel (state_at) WHERE state = 'unauthorised';

-- When somebody changed a MiniApp, its versions or its gray tasks; so far as the rows of its versions still say.
ALTER TABLE mini_app ADD COLUMN changed_at BIGINT NOT NULL DEFAULT 0;
UPDATE mini_app SET changed_at = COALESCE(
    (SELECT MAX(v.updated_at) FROM version v WHERE v.mini_app_id = mini_app.id), created_at);
