-- What hosts lay down, and what stays cost by it.

-- The rules in canonical bytes; nothing where there are none.
alter table property add column rules blob;

-- The lines of the price in canonical bytes; nothing in a row from before prices had lines, when
-- all nights of a stay cost the same.
alter table booking add column price blob;
alter table booking add column confirmed_at integer;

-- What single dates say of their own, before any rule.
create table night_terms (
    property_id blob not null,
    night integer not null,
    price integer,
    min_nights integer,
    max_nights integer,
    closed_to_arrival integer,
    closed_to_departure integer,
    primary key (property_id, night)
) strict, without rowid;

-- The nights that hosts keep. Blocks may overlap each other.
create table block (
    property_id blob not null,
    block_id blob not null,
    from_night integer not null,
    -- The first night that it does not hold.
    to_night integer not null,
    reason text not null,
    -- For the host's eyes only; no event tells it.
    note text,
    primary key (property_id, block_id)
) strict, without rowid;
