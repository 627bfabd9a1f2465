-- By what a channel is the merchant's. proof: vouched (the merchant's word) | platform (the channel's platform says so).
ALTER TABLE channel ADD COLUMN proof TEXT NOT NULL DEFAULT 'vouched';
UPDATE channel SET proof = 'platform' WHERE app_id IN (SELECT app_id FROM wechat_account)
    AND kind IN ('wechat_mini_program', 'wechat_official_account');
