-- What hosts lay down, and what stays cost by it.

alter table property
    -- The rules in canonical bytes; nothing where there are none.
    add column rules bytea;

alter table booking
    -- The lines of the price in canonical bytes; nothing in a row from before prices had lines,
    -- when all nights of a stay cost the same.
    add column price bytea,
    add column confirmed_at bigint;

-- What single dates say of their own, before any rule.
create table night_terms (
    property_id uuid not null,
    night integer not null,
    price bigint,
    min_nights integer,
    max_nights integer,
    closed_to_arrival boolean,
    closed_to_departure boolean,
    primary key (property_id, night)
);

-- The nights that hosts keep. Blocks may overlap each other.
create table block (
    property_id uuid not null,
    block_id uuid not null,
    from_night integer not null,
    -- The first night that it does not hold.
    to_night integer not null,
    reason text not null,
    -- For the host's eyes only; no event tells it.
    note text,
    primary key (property_id, block_id)
);
