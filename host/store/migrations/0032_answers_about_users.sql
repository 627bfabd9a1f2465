-- Answers that are kept for an Idempotency-Key and speak of a user, so that they go when the user is erased. person: a hash of
-- what the request named the user by: the account at a host app, the OpenID, or a message to them.
-- mini_app_id: where, if the request said it. erased_at: the answer is gone, or must not be kept when it comes; the key stays
-- taken, so that no request is played again.
ALTER TABLE idempotency ADD COLUMN person TEXT;
ALTER TABLE idempotency ADD COLUMN mini_app_id TEXT;
ALTER TABLE idempotency ADD COLUMN erased_at BIGINT;
CREATE INDEX idempotency_person ON idempotency (person);
