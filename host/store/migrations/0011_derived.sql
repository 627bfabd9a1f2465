-- What follows from other columns is not stored beside them: why a task ended is the cause of its move into that state, the
-- state of an authorisation is in its stage, and an account authorises us for as long as we have its grant.
ALTER TABLE gray_task DROP COLUMN ended_by;
ALTER TABLE channel_authorisation DROP COLUMN state;
DROP INDEX wechat_account_expiry;
ALTER TABLE wechat_account DROP COLUMN state;
CREATE INDEX wechat_account_expiry ON wechat_account (access_expires_at) WHERE grant_sealed IS NOT NULL;
