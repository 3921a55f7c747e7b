-- Reviews by hosts, and reviews that appear together.

-- Whether guest and host speak of each other before either reads what the other said.
alter table property add column blind_reviews boolean not null default false;

alter table review add column blind boolean not null default false;
-- Whether others than its author may read it. A rating counts from the same commit on.
alter table review add column appeared boolean not null default true;

-- What waits for the end of its window.
create index review_to_appear on review (published_at) where not appeared;
