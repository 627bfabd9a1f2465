-- Old events are forgotten together with their deliveries.
CREATE INDEX webhook_delivery_seq ON webhook_delivery (seq);
