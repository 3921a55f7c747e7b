-- What somebody wrote, for the export of their data.
create index review_of_author on review (author_id, created_at, review_id);
