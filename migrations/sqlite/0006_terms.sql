-- What hosts lay down, and what stays cost by it.

-- The rules in canonical bytes; nothing where there are none.
alter table property add column rules blob;

-- The lines of the price in canonical bytes; nothing in a row from before prices had lines, when
-- all nights of a stay cost the same.
alter table booking add column price blob;
alter table booking add column confirmed_at integer;
