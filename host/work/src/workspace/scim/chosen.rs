//! Chooses among many by a filter, while others have their turn now and then: a resource may have 128 KiB, and a filter 128
//! comparisons.

use tokio::task::yield_now;

/// How many comparisons are made before others have their turn.
const COMPARISONS: usize = 64;

/// Those that are wanted, each of which takes so many comparisons to tell.
pub(super) async fn chosen<T>(
    all: impl IntoIterator<Item = T>,
    comparisons: usize,
    is_wanted: impl Fn(&T) -> bool,
) -> Vec<T> {
    let (mut chosen, mut made) = (Vec::new(), 0);
    for one in all {
        if is_wanted(&one) {
            chosen.push(one);
        }
        made += comparisons;
        if made >= COMPARISONS {
            made = 0;
            yield_now().await;
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// How often another task has had its turn while 500 were looked at.
    async fn turns(comparisons: usize) -> usize {
        let turns = Arc::new(AtomicUsize::new(0));
        let counted = turns.clone();
        let other = tokio::spawn(async move {
            loop {
                counted.fetch_add(1, Ordering::Relaxed);
                yield_now().await;
            }
        });
        assert_eq!(chosen(0..500, comparisons, |one| one % 2 == 0).await.len(), 250);
        other.abort();
        turns.load(Ordering::Relaxed)
    }

    // In one thread, so that nobody has a turn unless it is given.
    #[tokio::test]
    async fn w5_a_filter_that_costs_much_lets_others_have_their_turn() {
        assert!(turns(128).await >= 499, "after each");
        assert!((5..20).contains(&turns(1).await), "after 64");
    }
}
