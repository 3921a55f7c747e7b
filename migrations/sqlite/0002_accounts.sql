-- Sessions, proofs by mail, the record of who did what, and what accounts need for them.

-- Counts the changes that its own page shows, from 1.
alter table account add column version integer not null default 1;
alter table account add column verified_at integer;
-- Set when somebody left: the row stays without anything personal, because bookings name it.
alter table account add column deleted_at integer;

create index account_newest on account (created_at desc, account_id desc);

create table session (
    session_id blob not null primary key,
    account_id blob not null references account (account_id),
    created_at integer not null,
    refreshed_at integer not null,
    expires_at integer not null,
    ended_at integer
) strict, without rowid;

create index session_of_account on session (account_id);
create index session_ended on session (ended_at) where ended_at is not null;
create index session_expires on session (expires_at);

-- Every refresh token of a session, also those that were used: one that comes back ends it.
create table refresh_token (
    -- SHA-256.
    token_hash blob not null primary key,
    session_id blob not null references session (session_id) on delete cascade,
    issued_at integer not null,
    used_at integer
) strict, without rowid;

create index refresh_token_of_session on refresh_token (session_id);

-- What was sent by mail to prove that somebody reads it.
create table mail_token (
    -- SHA-256.
    token_hash blob not null primary key,
    account_id blob not null references account (account_id),
    purpose text not null,
    expires_at integer not null
) strict, without rowid;

create index mail_token_of_account on mail_token (account_id);
create index mail_token_expires on mail_token (expires_at);

create table audit (
    audit_id blob not null primary key,
    at integer not null,
    kind text not null,
    -- Who did it; nothing where nobody was signed in.
    actor_id blob,
    -- Whose account it is about; nothing where there is none.
    subject_id blob,
    -- From where, as far as the server sees.
    address text,
    -- JSON.
    before_json text,
    after_json text
) strict, without rowid;

create index audit_of_subject on audit (subject_id, at);
