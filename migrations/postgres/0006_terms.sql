-- What hosts lay down, and what stays cost by it.

alter table property
    -- The rules in canonical bytes; nothing where there are none.
    add column rules bytea;

alter table booking
    -- The lines of the price in canonical bytes; nothing in a row from before prices had lines,
    -- when all nights of a stay cost the same.
    add column price bytea,
    add column confirmed_at bigint;
