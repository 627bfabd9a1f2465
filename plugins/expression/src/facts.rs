//! What an expression is told of a device and a task. Each fact is a variable with dots in its name, made when it is read.

use std::collections::HashMap;

use berth_policy::{Attribute, Device, Task, bucket::bucket};
use cel::{
    common::{
        types::{CelDouble, CelInt, CelMap, CelMapKey, CelString},
        value::{CowVal, Val},
    },
    context::VariableResolver,
};

use crate::{bounds::short, types::Type};

/// The members of `device`.
pub const DEVICE: &[(&str, Type)] = &[
    ("guid", Type::Text),
    ("device_id", Type::Text),
    ("account", Type::Text),
    ("platform", Type::Text),
    ("os_version", Type::Text),
    ("host_app", Type::Text),
    ("host_version", Type::Text),
    ("sdk_version", Type::Text),
    ("network", Type::Text),
    ("attributes", Type::Map),
];

/// The members of `task`.
pub const TASK: &[(&str, Type)] = &[
    ("id", Type::Text),
    ("mini_app_id", Type::Text),
    ("version", Type::Text),
    ("online", Type::Text),
    ("current", Type::Text),
    ("started", Type::Int),
    ("attributes", Type::Map),
];

/// The variable that has the time.
pub const NOW: &str = "now";

/// What begins the name of the variable that has a bucket. No name that is written in an expression begins so.
pub const BUCKET: &str = "@bucket.";

/// The variable that has the bucket by the id of the task.
pub const BUCKET_OF_TASK: &str = "@bucket";

/// Facts that name a person or a device. A reason does not repeat them.
const PRIVATE: [&str; 3] = ["device.guid", "device.device_id", "device.account"];

/// A device that asks a task.
#[derive(Clone, Copy)]
pub struct Facts<'f> {
    pub device: &'f Device,
    pub task: &'f Task,
}

/// The value of a fact.
enum Fact<'f> {
    Text(&'f str),
    Int(u64),
    Bucket(u32),
    Map(&'f [Attribute]),
}

impl<'f> Facts<'f> {
    fn get(&self, name: &str) -> Option<Fact<'f>> {
        if let Some(key) = self.bucket_key(name) {
            // A device without a guid has no bucket.
            return (!self.device.guid.is_empty()).then(|| Fact::Bucket(bucket(key, &self.device.guid)));
        }
        match name.split_once('.') {
            Some(("device", member)) => self.of_device(member),
            Some(("task", member)) => self.of_task(member),
            None if name == NOW => Some(Fact::Int(self.task.now)),
            _ => None,
        }
    }

    /// What the bucket goes by that a variable has.
    fn bucket_key<'k>(&self, name: &'k str) -> Option<&'k str>
    where
        'f: 'k,
    {
        if name == BUCKET_OF_TASK { Some(&self.task.id) } else { name.strip_prefix(BUCKET) }
    }

    fn of_device(&self, member: &str) -> Option<Fact<'f>> {
        let device = self.device;
        Some(Fact::Text(match member {
            "guid" => &device.guid,
            "device_id" => told(&device.device_id),
            "account" => told(&device.account),
            "platform" => &device.platform,
            "os_version" => &device.os_version,
            "host_app" => &device.host_app,
            "host_version" => &device.host_version,
            "sdk_version" => &device.sdk_version,
            "network" => &device.network,
            _ => return attribute(&device.attributes, member),
        }))
    }

    fn of_task(&self, member: &str) -> Option<Fact<'f>> {
        let task = self.task;
        Some(Fact::Text(match member {
            "id" => &task.id,
            "mini_app_id" => &task.mini_app_id,
            "version" => &task.version,
            "online" => &task.online,
            "current" => told(&task.current),
            "started" => return Some(Fact::Int(task.started)),
            _ => return attribute(&task.attributes, member),
        }))
    }

    /// The fact in words, unless it must not be repeated.
    pub fn tell(&self, name: &str) -> Option<String> {
        if PRIVATE.contains(&name) {
            return None;
        }
        let shown = match name.strip_prefix(BUCKET) {
            Some(salt) => format!("bucket('{salt}')"),
            None if name == BUCKET_OF_TASK => "bucket(task.id)".into(),
            None => name.into(),
        };
        let value = match self.get(name)? {
            Fact::Map(_) => return None,
            Fact::Text("") => "not told".into(),
            Fact::Text(text) => format!("'{}'", short(text)),
            Fact::Int(number) => number.to_string(),
            Fact::Bucket(bucket) => format!("{}.{:02}", bucket / 100, bucket % 100),
        };
        Some(format!("{shown} is {value}"))
    }
}

fn told(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

/// `attributes`, or `attributes.NAME`, where a name may have dots. One that is not there is the empty text.
fn attribute<'f>(attributes: &'f [Attribute], member: &str) -> Option<Fact<'f>> {
    if member == "attributes" {
        return Some(Fact::Map(attributes));
    }
    let name = member.strip_prefix("attributes.")?;
    let found = attributes.iter().find(|attribute| attribute.name == name);
    Some(Fact::Text(found.map_or("", |attribute| &attribute.value)))
}

impl VariableResolver for Facts<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        Some(match self.get(variable)? {
            Fact::Text(text) => CowVal::owned(CelString::from(text)),
            Fact::Int(number) => CowVal::owned(CelInt::from(i64::try_from(number).unwrap_or(i64::MAX))),
            Fact::Bucket(bucket) => CowVal::owned(CelDouble::from(f64::from(bucket) / 100.0)),
            Fact::Map(attributes) => CowVal::owned(map(attributes)),
        })
    }
}

fn map<'f>(attributes: &'f [Attribute]) -> CelMap<'f> {
    let entry = |attribute: &'f Attribute| {
        let value: Box<dyn Val + 'f> = Box::new(CelString::from(attribute.value.as_str()));
        (CelMapKey::from(attribute.name.as_str()), value)
    };
    CelMap::from(attributes.iter().map(entry).collect::<HashMap<_, _>>())
}
