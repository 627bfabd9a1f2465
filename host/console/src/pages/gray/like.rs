//! What stands in the form of a new task that is to be like another one: all but when it starts.

use berth_model::{
    policy::registry::InstalledPolicy,
    rollout::{Conditions, GrayTask, HostAppRange, ObjectList, PlatformRange},
};

use super::{new::NETWORKS, policies, shares};
use crate::{show, visit::Visit};

/// The fields, with what is typed into each. The new task lasts as long as the other one was to last.
pub fn typed(visit: &Visit, installed: &[InstalledPolicy], task: &GrayTask) -> Vec<(String, String)> {
    let end = visit.now.plus_seconds((task.end.0 - task.start.0) / 1000);
    let mut fields = Fields::default();
    fields.put("name", &task.name);
    fields.put("version", &task.version);
    fields.put("end", show::for_field(end, &visit.taste.zone));
    fields.some("max_users", task.max_users);
    // Whoever adds a condition is told here that the form must have it.
    let Conditions { host_apps, platforms, networks, objects } = &task.conditions;
    host_apps.iter().for_each(|range| fields.host_app(range));
    platforms.iter().for_each(|range| fields.platform(range));
    fields.networks(networks);
    objects.iter().for_each(|list| fields.objects(list));
    fields.some("admits", task.admits.as_ref());
    let share = shares::of(task).map(|policy| shares::typed(&policy.config));
    fields.0.extend(share.unwrap_or_default());
    fields.0.extend(task.policies.iter().flat_map(|policy| policies::typed(visit, installed, policy)));
    fields.0
}

#[derive(Default)]
struct Fields(Vec<(String, String)>);

impl Fields {
    fn put(&mut self, name: &str, value: impl ToString) {
        self.0.push((name.to_owned(), value.to_string()));
    }

    fn some(&mut self, name: &str, value: Option<impl ToString>) {
        value.into_iter().for_each(|value| self.put(name, value));
    }

    fn host_app(&mut self, HostAppRange { id, min_version, max_version }: &HostAppRange) {
        self.put("host_apps", id);
        self.some(&format!("host_min.{id}"), min_version.as_ref());
        self.some(&format!("host_max.{id}"), max_version.as_ref());
    }

    fn platform(&mut self, PlatformRange { platform, min_os, max_os }: &PlatformRange) {
        self.put("platforms", platform);
        self.some(&format!("os_min.{platform}"), min_os.as_ref());
        self.some(&format!("os_max.{platform}"), max_os.as_ref());
    }

    fn networks(&mut self, networks: &[String]) {
        let (boxes, others): (Vec<_>, Vec<_>) = networks.iter().partition(|name| NETWORKS.contains(&name.as_str()));
        boxes.into_iter().for_each(|name| self.put("networks", name));
        self.put("other_networks", others.into_iter().map(String::as_str).collect::<Vec<_>>().join(", "));
    }

    fn objects(&mut self, ObjectList { kind, values, cohort }: &ObjectList) {
        if !values.is_empty() {
            self.put(&format!("typed.{kind}"), values.join("\n"));
        }
        self.some(&format!("list.{kind}"), cohort.as_ref());
    }
}
