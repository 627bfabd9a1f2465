-- Events of one host app, as those of one MiniApp and one merchant have theirs.
CREATE INDEX event_host_app ON event (host_app_id, seq);
