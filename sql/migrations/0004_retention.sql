-- Drops the partitions of request_outcomes whose day is before `first`, and says how many. A partition can only go while nobody writes, so it
-- waits for that for a moment and not longer: meanwhile others wait behind it. What could not go this time goes the next.
CREATE FUNCTION drop_outcome_days_before(first date) RETURNS integer LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
DECLARE
    partition_name text;
    dropped integer := 0;
BEGIN
    FOR partition_name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'request_outcomes'::regclass AND c.relname ~ '^request_outcomes_[0-9]{8}$'
            AND to_date(right(c.relname, 8), 'YYYYMMDD') < first
        ORDER BY 1
    LOOP
        EXECUTE format('DROP TABLE %I', partition_name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;
