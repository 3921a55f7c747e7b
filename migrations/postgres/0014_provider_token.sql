-- The access token that a provider gave us, one for all nodes, and until when one of them fetches
-- the next.
create table provider_token (
    provider text primary key,
    -- None before the first was fetched.
    token text,
    expires_at bigint not null default 0,
    refreshing_until bigint not null default 0
);
