//! A decision of two grayscale policies, which is what most checks of a task with conditions and a percentage ask.

use std::{sync::Arc, time::Instant};

use berth_judge::{BoundGrayscale, Compiler, Engine, EngineConfig, builtin};
use berth_model::policy::{Cohorts, GrayDevice, GrayTask, GrayVerdict, Limits, NoCohorts, Outcome, PolicyKind};
use serde_json::{Value, json};

use super::{Counts, Result, Row, bare, bare::Bare, nanos};

fn configs() -> [(&'static str, Value); 2] {
    let conditions = json!({"platforms": [{"platform": "android", "min_os": "10"}], "networks": ["wifi", "5g"]});
    [("standard-conditions", conditions), ("percentage", json!({"percent": 100}))]
}

fn device() -> Result<GrayDevice<'static>> {
    let device = json!({
        "guid": "0b54b0a1-7a4e-4c2e-9d3c-2f1f5f6c7a11", "account": "a-1", "platform": "android", "os_version": "14",
        "host_app": "demo-app", "host_version": "3.2.1", "sdk_version": "1.0.0", "network": "wifi",
        "attributes": [{"name": "city", "value": "Hangzhou"}],
    });
    Ok(serde_json::from_value(device)?)
}

fn task() -> Result<GrayTask<'static>> {
    let task = json!({
        "id": "gray_01m7y7fxwcxdk6eqj7speycv2s", "mini_app_id": "coffee", "version": "1.1.0", "online": "1.0.0",
        "current": "1.0.0", "started": 1_700_000_000_000_u64, "now": 1_700_000_100_000_u64,
    });
    Ok(serde_json::from_value(task)?)
}

/// The two policies in one of two ways to run them, and the question.
struct Pair {
    ours: Vec<BoundGrayscale>,
    beside: Vec<Bare>,
    device: GrayDevice<'static>,
    task: GrayTask<'static>,
    lists: Arc<dyn Cohorts>,
}

impl Pair {
    async fn bind(engine: &Engine, judgements_per_instance: u64) -> Result<Self> {
        let limits = Limits { judgements_per_instance, ..Limits::default_of(PolicyKind::Grayscale) };
        let bare_engine = bare::engine()?;
        let (mut ours, mut beside) = (Vec::new(), Vec::new());
        for (name, config) in configs() {
            let policy = builtin::ALL.iter().find(|policy| policy.name == name).ok_or(name)?;
            beside.push(Bare::new(&bare_engine, policy, config.to_string())?);
            ours.push(engine.inspect(policy.wasm.to_vec()).await?.bind_gray(&config, limits.clone())?);
        }
        Ok(Self { ours, beside, device: device()?, task: task()?, lists: Arc::new(NoCohorts) })
    }

    /// Nanoseconds of a decision by both, through the door of a host.
    fn ours(&self, decisions: usize) -> Result<f64> {
        let start = Instant::now();
        for _ in 0..decisions {
            for policy in &self.ours {
                match policy.decide(&self.device, &self.task, &self.lists).outcome {
                    Outcome::Verdict(GrayVerdict::Admit) => {}
                    other => return Err(format!("{}: {other:?}", policy.policy().description().name).into()),
                }
            }
        }
        Ok(nanos(start.elapsed()) / decisions as f64)
    }

    /// The same without the host: on the same instances again and again, or each on a fresh one.
    fn beside(&self, decisions: usize, fresh: bool) -> Result<f64> {
        let mut instances = self.beside.iter().map(Bare::fresh).collect::<Result<Vec<_>, _>>()?;
        let start = Instant::now();
        for _ in 0..decisions {
            for (policy, instance) in self.beside.iter().zip(&mut instances) {
                let admits = if fresh {
                    policy.fresh()?.decide(&self.device, &self.task)?
                } else {
                    instance.decide(&self.device, &self.task)?
                };
                if !admits {
                    return Err("a bare policy refused the device".into());
                }
            }
        }
        Ok(nanos(start.elapsed()) / decisions as f64)
    }
}

pub async fn measure(counts: &Counts) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let engine = Engine::new(EngineConfig::new(folder.path().into(), Compiler::InProcess))?;
    let again = Limits::default_of(PolicyKind::Grayscale).judgements_per_instance;
    let (warm, fresh) = (Pair::bind(&engine, again).await?, Pair::bind(&engine, 1).await?);
    let load =
        |more: &str| format!("standard-conditions and percentage, 1 thread, {} a round; {more}", counts.decisions);
    let mut rows = [
        Row::new("decision-warm", "ns", load("goal ≤ 1.3")),
        Row::new("decision-fresh", "ns", load("instances are configured anew, as there are no snapshots; goal ≤ 1.2")),
    ];
    for round in 0..=counts.rounds {
        rows[0].note(round, warm.ours(counts.decisions)?, warm.beside(counts.decisions, false)?);
        rows[1].note(round, fresh.ours(counts.decisions)?, fresh.beside(counts.decisions, true)?);
    }
    rows.into_iter().for_each(Row::end);
    Ok(())
}
