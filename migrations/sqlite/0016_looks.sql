-- What the reconciliation looks at besides: money that is proved, though the provider said that none
-- came.
create index payment_proved on payment (created_at)
    where receipt is not null and status in ('failed', 'voided', 'expired');

-- Whoever pays now does not wait behind those that are only looked at again.
drop index job_due;
create index job_due on job ((kind = 'reconcile'), run_at) where buried_at is null;
