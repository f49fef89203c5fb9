-- How many outcomes of each model fell into each five minutes, so that a day's number is the sum of at most 289 rows a model. Counted from
-- request_outcomes it took a look into every partition for every model, and then as long as the day had rows.

CREATE TABLE outcome_slices (
    model_id uuid NOT NULL,
    slice timestamptz NOT NULL, -- its beginning; a multiple of five minutes
    outcomes bigint NOT NULL,
    PRIMARY KEY (model_id, slice)
) WITH (fillfactor = 60); -- the newest rows are counted up with every batch: room for their next versions in the same page

CREATE FUNCTION outcome_slice(at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT date_bin('5 minutes', at, TIMESTAMPTZ 'epoch')
$$;

-- Where the last 24 hours begin, rounded down to a slice. Older slices are of no use.
CREATE FUNCTION first_outcome_slice() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT outcome_slice(now() - interval '24 hours')
$$;

INSERT INTO outcome_slices (model_id, slice, outcomes)
SELECT model_id, outcome_slice(least(occurred_at, now())), count(*) FROM request_outcomes
WHERE occurred_at >= first_outcome_slice() GROUP BY 1, 2;
