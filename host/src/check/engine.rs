//! The policies of grayscale tasks, run by the engine.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{
    Device,
    judge::{BindingSpec, Breakage, Judge, Judges, Opinion, TaskFacts},
};
use crate::{
    error::Result,
    ids::Digest,
    policy::{
        Attribute, Cohorts, GrayBinding, GrayDevice, GrayTask, GrayVerdict, Limits, Outcome, PolicyKind,
        registry::Policies,
    },
};

impl Judges for Policies {
    fn accept<'a>(&'a self, policy: &'a Digest, config: &'a Value, limits: &'a Limits) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let policy = self.load(policy).await?;
            policy.bind_gray(config, limits.clone())?;
            policy.check_config(config, limits).await
        })
    }

    fn prepare<'a>(&'a self, binding: &'a BindingSpec) -> BoxFuture<'a, Result<Arc<dyn Judge>>> {
        Box::pin(async move {
            let policy = self.load(&binding.digest).await?;
            let bound = policy.bind_gray(&binding.config, binding.limits.apply(PolicyKind::Grayscale)?)?;
            Ok(Arc::new(bound) as Arc<dyn Judge>)
        })
    }
}

impl Judge for GrayBinding {
    fn judge(&self, device: &Device, task: &TaskFacts<'_>, cohorts: &Arc<dyn Cohorts>) -> Opinion {
        let outcome = self.decide(&as_seen(device), &told(task), cohorts).outcome;
        let why = outcome.trouble().unwrap_or_default();
        let how = match outcome {
            Outcome::Verdict(GrayVerdict::Admit) => return Opinion::Admit,
            Outcome::Verdict(GrayVerdict::Refuse(reason)) => return Opinion::Refuse(reason),
            Outcome::Failed { .. } => Breakage::Failed,
            Outcome::Trapped { .. } => Breakage::Trapped,
            Outcome::Limited(_) => Breakage::Limited,
        };
        Opinion::Broken { how, why }
    }
}

fn as_seen(device: &Device) -> GrayDevice {
    let attribute = |(name, value): (&String, &String)| Attribute { name: name.clone(), value: value.clone() };
    GrayDevice {
        guid: device.guid.clone(),
        device_id: device.device_id.clone(),
        account: device.account.clone(),
        platform: device.platform.clone(),
        os_version: device.os_version.clone(),
        host_app: device.host_app.to_string(),
        host_version: device.host_version.clone(),
        sdk_version: device.sdk_version.clone(),
        network: device.network.clone(),
        attributes: device.attributes.iter().map(attribute).collect(),
    }
}

fn told(task: &TaskFacts<'_>) -> GrayTask {
    GrayTask {
        id: task.id.to_string(),
        mini_app_id: task.mini_app.to_string(),
        version: task.version.to_string(),
        online: task.online.to_string(),
        current: task.current.map(ToString::to_string),
        started: task.started.0.max(0) as u64,
        now: task.now.0.max(0) as u64,
        attributes: Vec::new(),
    }
}
