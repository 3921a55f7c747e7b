-- The access token that a provider gave us, one for all nodes, and until when one of them fetches
-- the next.
create table provider_token (
    provider text not null primary key,
    -- None before the first was fetched.
    token text,
    expires_at integer not null default 0,
    refreshing_until integer not null default 0
) strict;
