-- Messages that wait for their merchant: looked for every second.
CREATE INDEX fulfilment_awaited ON fulfilment (merchant_id) WHERE state = 'parked' AND reason = 'merchant-unknown';

-- Runs by the account that was granted.
CREATE INDEX channel_authorisation_account ON channel_authorisation ((stage -> 'grant' ->> 'app_id'));
