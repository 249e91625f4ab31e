-- What an offer says of itself besides its budget: what is left of it, and how
-- often a customer may have it.

ALTER TABLE kaireon.offers
	ADD COLUMN inventory      jsonb NOT NULL DEFAULT '{}',
	ADD COLUMN frequency_caps jsonb NOT NULL DEFAULT '{}';
