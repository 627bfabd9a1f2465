-- How a session was started, such as `password`. Of those that there are only the ones by an API token can still be told.
ALTER TABLE session ADD COLUMN started_by TEXT NOT NULL DEFAULT 'password';
UPDATE session SET started_by = 'token' WHERE from_token_id IS NOT NULL;

-- When none of the wrong codes counts any more that were typed for the account.
ALTER TABLE second_factor ADD COLUMN wrong_until BIGINT NOT NULL DEFAULT 0;
