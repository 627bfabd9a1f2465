//! Random histories: what people, the clock and devices do.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    VERSIONS,
    model::{Device, Minor, Move, Range, Rules, WithShare},
};

const GUIDS: u8 = 16;

/// A task to create.
#[derive(Clone, Debug)]
pub struct New {
    pub version: Minor,
    /// Seconds until its start.
    pub delay: i64,
    /// Seconds from its start to its end.
    pub seconds: i64,
    pub cap: Option<usize>,
    pub rules: Rules,
}

/// One step of a history. MiniApps and tasks are named by numbers, which wrap around.
#[derive(Clone, Debug)]
pub enum Step {
    Create(usize, New),
    Move(usize, usize, Move),
    Wait(i64),
    /// The host stores what the clock has done.
    Tick,
    Publish(usize, Minor),
    RollBack(usize, Minor),
    /// Devices ask the first host, or the second one.
    Checks(bool, Vec<Device>),
}

pub fn history() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 25..60)
}

fn step() -> impl Strategy<Value = Step> {
    let (app, task) = (0usize..2, any::<usize>());
    let steps = select(vec![Move::Suspend, Move::Suspend, Move::Resume, Move::Resume, Move::End]);
    let waits = select(vec![1, 60, 600, 3_600, 3_600, 4 * 3_600]);
    prop_oneof![
        5 => (app.clone(), new_task()).prop_map(|(app, new)| Step::Create(app, new)),
        4 => (app.clone(), task, steps).prop_map(|(app, task, step)| Step::Move(app, task, step)),
        3 => waits.prop_map(Step::Wait),
        1 => Just(Step::Tick),
        1 => (app.clone(), 1..=VERSIONS).prop_map(|(app, version)| Step::Publish(app, version)),
        1 => (app, 0..=VERSIONS).prop_map(|(app, version)| Step::RollBack(app, version)),
        12 => (any::<bool>(), vec(device(), 4..16)).prop_map(|(second, devices)| Step::Checks(second, devices)),
    ]
}

fn new_task() -> impl Strategy<Value = New> {
    let delay = prop_oneof![3 => Just(0i64), 1 => select(vec![60, 3_600])];
    let seconds = select(vec![600i64, 3_600, 6 * 3_600, 48 * 3_600]);
    let cap = option::weighted(0.5, 1usize..6);
    (1..=VERSIONS, delay, seconds, cap, rules()).prop_map(|(version, delay, seconds, cap, rules)| New {
        version,
        delay,
        seconds,
        cap,
        rules,
    })
}

fn rules() -> impl Strategy<Value = Rules> {
    let platform = (select(vec!["android", "ios", "harmony"]), range(vec!["16.7", "17", "17.4", "17.4.1"]));
    let host_app = option::weighted(0.2, range(vec!["3", "3.2", "3.2.1", "4"]));
    let platforms = sometimes(vec(platform, 1..3));
    let networks = sometimes(vec(select(vec!["wifi", "5g"]), 1..2));
    let guids = sometimes(vec(guid(), 1..8));
    let stages = prop_oneof![
        6 => Just(Vec::new()),
        2 => (0u32..=100).prop_map(|percent| vec![(0, percent)]),
        1 => (0u32..50, 0u32..=50, 1i64..6).prop_map(|(first, more, hours)| vec![(0, first), (hours, first + more)]),
    ];
    let with_share = select(vec![WithShare::Unsaid, WithShare::Or, WithShare::AndNot]);
    (host_app, platforms, networks, guids, stages, with_share).prop_map(
        |(host_app, platforms, networks, guids, stages, with_share)| Rules {
            host_app,
            platforms,
            networks,
            guids,
            stages,
            with_share,
        },
    )
}

/// Most conditions of most tasks are not given.
fn sometimes<T: Clone + std::fmt::Debug>(some: impl Strategy<Value = Vec<T>>) -> impl Strategy<Value = Vec<T>> {
    option::weighted(0.25, some).prop_map(Option::unwrap_or_default)
}

/// A range whose ends, where there are two, are in order.
fn range(ends: Vec<&'static str>) -> impl Strategy<Value = Range> {
    let last = ends.len() - 1;
    (0..=last, 0..=last, 0u8..4).prop_map(move |(one, two, which)| {
        let (from, to) = (ends[one.min(two)], ends[one.max(two)]);
        Range { from: (which & 1 > 0).then_some(from), to: (which & 2 > 0).then_some(to) }
    })
}

fn guid() -> impl Strategy<Value = String> {
    (0..GUIDS).prop_map(|number| format!("g-{number}"))
}

fn device() -> impl Strategy<Value = Device> {
    let platform = select(vec!["android", "ios", "harmony"]);
    let os = select(vec!["9", "16.7", "16.7.2", "17", "17.0", "17.4", "17.4.1", "17.5", "18"]);
    let host_version = select(vec!["2.9", "3.0", "3.2.0", "3.2.1", "3.2.1.5", "3.3", "4.1", "5"]);
    let network = select(vec!["wifi", "5g", "4g"]);
    (guid(), platform, os, host_version, network).prop_map(|(guid, platform, os, host_version, network)| Device {
        guid,
        platform,
        os,
        host_version,
        network,
    })
}
