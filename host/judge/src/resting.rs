//! Instances that have judged and wait for the next question of their binding. To make and configure an instance takes
//! ten times as long as most judgements.
//!
//! An instance that is asked again remembers what its policy keeps in memory: the isolation of one judgement from the next
//! is lost, that of one binding from another is not. So the judgements of one instance are bounded, and a binding may ask
//! for a fresh instance for each (`judgements_per_instance`).

use std::{
    ptr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::{run::Life, worlds::grayscale::Grayscale};

/// The instances that rest, of all bindings together, those that judged last at the end.
pub(crate) struct Resting {
    instances: Mutex<Vec<Rested>>,
    most: usize,
}

/// An instance that rests.
pub(crate) struct Rested {
    /// The config of the binding, whose place in memory tells it from all other bindings.
    binding: Weak<str>,
    pub life: Life<Grayscale>,
    /// How often it may be asked.
    left: u64,
}

impl Rested {
    /// An instance that was configured with `config` and may be asked `left` times.
    pub fn of(config: &Arc<str>, life: Life<Grayscale>, left: u64) -> Self {
        Self { binding: Arc::downgrade(config), life, left }
    }
}

impl Resting {
    /// Room for `most` instances.
    pub fn new(most: usize) -> Self {
        Self { instances: Mutex::default(), most }
    }

    /// Takes an instance of the binding with this config. Where there is none, one goes whose binding is gone.
    pub fn wake(&self, config: &Arc<str>) -> Option<Rested> {
        let is_of = |rested: &Rested| ptr::addr_eq(rested.binding.as_ptr(), Arc::as_ptr(config));
        let mut instances = self.instances();
        if let Some(place) = instances.iter().rposition(is_of) {
            let mut rested = instances.remove(place);
            rested.left -= 1;
            return Some(rested);
        }
        // One, as it lives until it is dropped, and there is room for one instance of each question.
        let gone = instances.iter().position(|rested| rested.binding.strong_count() == 0);
        let gone = gone.map(|place| instances.remove(place));
        // To end an instance takes longer than others should wait.
        drop(instances);
        drop(gone);
        None
    }

    /// Keeps an instance, unless it has been asked as often as it may. Where there is no room, the instance goes that has
    /// rested longest.
    pub fn rest(&self, rested: Rested) {
        if rested.left == 0 {
            return;
        }
        let mut instances = self.instances();
        let longest = (instances.len() >= self.most).then(|| instances.remove(0));
        instances.push(rested);
        drop(instances);
        drop(longest);
    }

    /// How many instances rest.
    pub fn count(&self) -> usize {
        self.instances().len()
    }

    fn instances(&self) -> MutexGuard<'_, Vec<Rested>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
