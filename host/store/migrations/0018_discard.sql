-- A fulfilment message that was parked may be discarded: the state discarded, who did it, and why.
ALTER TABLE fulfilment ADD COLUMN discarded_by TEXT;
ALTER TABLE fulfilment ADD COLUMN note TEXT NOT NULL DEFAULT '';
