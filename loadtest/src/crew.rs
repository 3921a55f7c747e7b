//! Many pieces of work at once, by a bounded number of tasks.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

use crate::failure::Failure;

/// Does `work` on every item, at most `hands` at a time, and returns the results in the order of
/// the items. The first error ends the whole and drops what is under way.
pub(crate) async fn share<I, T, F, W>(
    items: Vec<I>,
    hands: usize,
    work: W,
) -> Result<Vec<T>, Failure>
where
    I: Send + 'static,
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>> + Send + 'static,
    W: Fn(I) -> F + Send + Sync + 'static,
{
    let hands = hands.clamp(1, items.len().max(1));
    let mut done: Vec<Option<T>> = items.iter().map(|_| None).collect();
    let queue = Arc::new(Mutex::new(items.into_iter().enumerate()));
    let work = Arc::new(work);
    let mut crew = JoinSet::new();
    for _ in 0..hands {
        let (queue, work) = (Arc::clone(&queue), Arc::clone(&work));
        crew.spawn(async move {
            let mut results = Vec::new();
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((number, item)) = next else { return Ok(results) };
                results.push((number, work(item).await?));
            }
        });
    }
    while let Some(ended) = crew.join_next().await {
        let results = match ended {
            Ok(results) => results?,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        for (number, result) in results {
            done[number] = Some(result);
        }
    }
    Ok(done.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::share;
    use crate::failure::Failure;

    #[tokio::test]
    async fn results_stand_in_the_order_of_the_items_whoever_did_them() {
        let double = |n: u32| async move { Ok(n * 2) };
        for hands in [0, 1, 3, 100] {
            let doubled = share(vec![1, 2, 3, 4], hands, double).await.expect("no failure");
            assert_eq!(doubled, [2, 4, 6, 8]);
        }
        assert!(share(Vec::new(), 4, double).await.expect("no failure").is_empty());
    }

    #[tokio::test]
    async fn the_first_error_is_the_result() {
        let picky = |n: u32| async move {
            if n == 3 { Err(Failure::Options(n.to_string())) } else { Ok(n) }
        };
        let failure = share(vec![1, 2, 3, 4], 2, picky).await.expect_err("one is picked out");
        assert_eq!(failure.to_string(), "3");
    }
}
