-- Indexes by which statements find their rows that went through all that an installation had gathered over years.

-- What an act is about, by the act: asked at every commit of one.
DROP INDEX act_place_act;
CREATE INDEX act_place_act ON act_place (act_id, kind, place_id);

-- As whom a user of one MiniApp is recognised.
CREATE INDEX recognised_user_open_id ON recognised_user (open_id_sha256, mini_app_id);

-- What one merchant has: read whenever an event names it.
CREATE INDEX product_instance_active ON product_instance (state, merchant_id, id, product);
CREATE INDEX channel_kind ON channel (kind, merchant_id);

-- The number is in it, too, so that no database goes through all events because those come in the right order.
DROP INDEX event_message_account;
CREATE INDEX event_message_account ON event ((data ->> 'account'), host_app_id, seq) WHERE type = 'message.sent';

-- Sessions that a token has started: whoever deletes a token must know of them.
CREATE INDEX session_from_token ON session (from_token_id);

-- Whether a list has these bytes.
CREATE INDEX cohort_sha256 ON cohort (sha256);

-- Audits in which a host app has a part, in their order, and those that wait for it.
DROP INDEX audit_item_host_app;
CREATE INDEX audit_item_host_app ON audit_item (host_app_id, audit_id);
CREATE INDEX audit_item_awaited ON audit_item (host_app_id, audit_id) WHERE decision IS NULL;

-- Fulfilment messages in states that are rare, in the order of lists.
DROP INDEX fulfilment_waiting;
CREATE INDEX fulfilment_waiting ON fulfilment (received_at, id) WHERE state = 'parked';
CREATE INDEX fulfilment_corrected ON fulfilment (received_at, id) WHERE state = 'corrected';
CREATE INDEX fulfilment_discarded ON fulfilment (received_at, id) WHERE state = 'discarded';
