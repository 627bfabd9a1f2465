//! What README and `tests/RULES.md` say of gray releases, written anew and as plainly as can be: it knows nothing of how
//! the host does it, and uses nothing of it.

use std::{cmp::Ordering, collections::BTreeSet};

/// A version `1.{n}.0`, by its `n`.
pub(crate) type Minor = u8;

const HOUR: i64 = 3_600_000;

/// What a device tells of itself.
#[derive(Clone, Debug)]
pub struct Device {
    pub guid: String,
    pub platform: &'static str,
    pub os: &'static str,
    pub host_version: &'static str,
    pub network: &'static str,
}

/// The ends of a range of versions, either of which may be open.
#[derive(Clone, Debug, Default)]
pub struct Range {
    pub from: Option<&'static str>,
    pub to: Option<&'static str>,
}

/// Whom a task is for. An empty rule never restricts (G4).
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub host_app: Option<Range>,
    pub platforms: Vec<(&'static str, Range)>,
    pub networks: Vec<&'static str>,
    /// The guids of lists.
    pub guids: Vec<String>,
    /// Shares in percent, each from so many hours after the start (G11).
    pub stages: Vec<(i64, u32)>,
    /// How the share goes with all others, where the task has both (G24).
    pub with_share: WithShare,
}

/// How a share goes with conditions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WithShare {
    /// Nothing is said: both must hold.
    #[default]
    Unsaid,
    Or,
    AndNot,
}

/// What was last done to a task, by whomever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// It waits for its start, or delivers.
    Going,
    Suspended,
    /// Its cap has ended it.
    Full,
    /// It was ended by hand, by time or by what went online.
    Over,
}

#[derive(Clone, Debug)]
pub struct Task {
    /// The id that the host gave it.
    pub id: String,
    pub version: Minor,
    pub start: i64,
    pub end: i64,
    pub cap: Option<usize>,
    pub rules: Rules,
    pub stand: Stand,
    pub admitted: BTreeSet<String>,
}

/// What is done to a task by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Suspend,
    Resume,
    End,
}

/// A MiniApp, with what happened to it.
#[derive(Clone, Debug, Default)]
pub struct App {
    pub online: Minor,
    /// Every version that was online, now or before.
    pub released: BTreeSet<Minor>,
    /// Whether the last release was a rollback.
    pub rolled_back: bool,
    /// Oldest first.
    pub tasks: Vec<Task>,
}

/// What a check answers: the version, and the task that offers it unless everybody gets the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub version: Minor,
    pub task: Option<String>,
}

impl Task {
    /// In the words of the API.
    pub fn state(&self, now: i64) -> &'static str {
        match self.stand {
            Stand::Going if now < self.start => "pending",
            Stand::Going => "delivering",
            Stand::Suspended => "suspended",
            Stand::Full | Stand::Over => "ended",
        }
    }

    /// Whether it keeps the version with the devices that it has (README's table).
    fn honours(&self) -> bool {
        self.stand != Stand::Over
    }

    fn has(&self, device: &Device) -> bool {
        self.honours() && self.admitted.contains(&device.guid)
    }

    fn takes(&self, device: &Device, now: i64) -> bool {
        self.state(now) == "delivering"
            && self.cap.is_none_or(|cap| self.admitted.len() < cap)
            && self.rules.hold(device, &self.id, now - self.start)
    }
}

impl App {
    /// Tasks whose time is over end (G5, G6).
    pub fn settle(&mut self, now: i64) {
        let moving = |task: &&mut Task| matches!(task.stand, Stand::Going | Stand::Suspended);
        self.tasks.iter_mut().filter(moving).filter(|task| now >= task.end).for_each(|task| task.stand = Stand::Over);
    }

    /// What a device gets (G6, G7, G9, G10).
    pub fn check(&mut self, device: &Device, now: i64) -> Answer {
        self.settle(now);
        let owners: Vec<_> = self.tasks.iter().filter(|task| task.has(device)).collect();
        assert!(owners.len() < 2, "a device counts in one task: {owners:?}");
        if let Some(owner) = owners.first() {
            return Answer { version: owner.version, task: Some(owner.id.clone()) };
        }
        let Some(task) = self.tasks.iter_mut().rev().find(|task| task.takes(device, now)) else {
            return Answer { version: self.online, task: None };
        };
        task.admitted.insert(device.guid.clone());
        if Some(task.admitted.len()) == task.cap {
            task.stand = Stand::Full;
        }
        Answer { version: task.version, task: Some(task.id.clone()) }
    }

    /// Whether a gray task of the version may be created (G1).
    pub(crate) fn may_try(&self, version: Minor) -> bool {
        version > self.online && !self.released.contains(&version)
    }

    /// Publishes a version that may be tried (V7).
    pub fn publish(&mut self, version: Minor, now: i64) {
        self.put_online(version, now);
        self.rolled_back = false;
        self.released.insert(version);
    }

    /// It ends the tasks that it overtakes (V8).
    fn put_online(&mut self, version: Minor, now: i64) {
        self.settle(now);
        self.tasks.iter_mut().filter(|task| task.version <= version).for_each(|task| task.stand = Stand::Over);
        self.online = version;
    }

    /// Whether a rollback may lead to the version, which may be above what is online (V9).
    pub(crate) fn may_roll_back(&self, version: Minor) -> bool {
        !self.rolled_back && self.released.contains(&version) && version != self.online
    }

    /// Tasks above what is online then go on (V9).
    pub fn roll_back(&mut self, version: Minor, now: i64) {
        self.put_online(version, now);
        self.rolled_back = true;
    }

    /// Moves a task by hand; `false` when its state does not allow it (G5).
    pub fn step(&mut self, task: usize, step: Move, now: i64) -> bool {
        self.settle(now);
        let task = &mut self.tasks[task];
        let (from, to): (&[_], _) = match step {
            Move::Suspend => (&["pending", "delivering"], Stand::Suspended),
            Move::Resume => (&["suspended"], Stand::Going),
            Move::End => (&["pending", "delivering", "suspended"], Stand::Over),
        };
        let may = from.contains(&task.state(now));
        if may {
            task.stand = to;
        }
        may
    }
}

impl Rules {
    /// Whether all of them hold, for a task with this id that has gone on for so long.
    fn hold(&self, device: &Device, task: &str, since: i64) -> bool {
        let host_app = self.host_app.as_ref().is_none_or(|range| range.has(device.host_version));
        let platform = self.platforms.is_empty()
            || self.platforms.iter().any(|(name, range)| *name == device.platform && range.has(device.os));
        let network = self.networks.is_empty() || self.networks.contains(&device.network);
        let listed = self.guids.is_empty() || self.guids.contains(&device.guid);
        let conditions = host_app && platform && network && listed;
        let Some(share) = self.share(since).map(|share| bucket(task, device) < share) else { return conditions };
        match self.with_share {
            WithShare::Or if self.has_conditions() => conditions || share,
            WithShare::AndNot if self.has_conditions() => conditions && !share,
            _ => conditions && share,
        }
    }

    /// Whether anything but a share restricts it.
    pub fn has_conditions(&self) -> bool {
        let Self { host_app, platforms, networks, guids, .. } = self;
        host_app.is_some() || !platforms.is_empty() || !networks.is_empty() || !guids.is_empty()
    }

    /// How many of the 10,000 buckets are in now; `None` without a percentage.
    fn share(&self, since: i64) -> Option<u32> {
        let mut begun = self.stages.iter().filter(|(hours, _)| hours * HOUR <= since);
        (!self.stages.is_empty()).then(|| begun.next_back().map_or(0, |(_, percent)| percent * 100))
    }
}

impl Range {
    /// Both ends are in, and the upper one is a whole family: `17` is 17.* (G4).
    fn has(&self, told: &str) -> bool {
        let told = numbers(told);
        let above = |from: &str| order(&told, &numbers(from)).is_ge();
        let below = |to: &str| {
            let family = numbers(to);
            let begins: Vec<_> = (0..family.len()).map(|at| told.get(at).copied().unwrap_or(0)).collect();
            begins <= family
        };
        self.from.is_none_or(above) && self.to.is_none_or(below)
    }
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').filter_map(|part| part.parse().ok()).collect()
}

/// Compares number by number; those that are missing are 0.
fn order(a: &[u32], b: &[u32]) -> Ordering {
    let at = |parts: &[u32], at: usize| parts.get(at).copied().unwrap_or(0);
    (0..a.len().max(b.len())).map(|n| at(a, n).cmp(&at(b, n))).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// The bucket of a device in a task (G11).
fn bucket(task: &str, device: &Device) -> u32 {
    murmur3(format!("{task}:{}", device.guid).as_bytes()) % 10_000
}

/// MurmurHash3_x86_32 with the seed 0, as its author describes it.
fn murmur3(bytes: &[u8]) -> u32 {
    let mix = |block: u32| block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let little = |block: &[u8]| block.iter().rev().fold(0, |sum: u32, byte| (sum << 8) | u32::from(*byte));
    let (blocks, rest) = bytes.as_chunks::<4>();
    let mut hash = blocks.iter().fold(0u32, |hash, block| {
        (hash ^ mix(little(block))).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
    });
    if !rest.is_empty() {
        hash ^= mix(little(rest));
    }
    hash ^= bytes.len() as u32;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[test]
fn g11_the_hash_of_the_model_is_the_published_one() {
    assert_eq!(murmur3(b""), 0);
    assert_eq!(murmur3(b"hello"), 0x248b_fa47);
    assert_eq!(murmur3(b"hello, world"), 0x149b_bb7f);
    assert_eq!(murmur3(b"The quick brown fox jumps over the lazy dog"), 0x2e4f_f723);
}
