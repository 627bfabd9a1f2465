//! Helpers for native tests of policies. They do not exist in wasm.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap, HashSet},
};

use crate::{
    gray::{Device, Task},
    package::{File, Package, ReadError},
};

thread_local! {
    static COHORTS: RefCell<HashMap<String, HashSet<String>>> = RefCell::default();
}

/// Sets a list of the host for this thread, and replaces one with the same name.
pub fn set_cohort<'k>(name: &str, keys: impl IntoIterator<Item = &'k str>) {
    let keys = keys.into_iter().map(Into::into).collect();
    COHORTS.with_borrow_mut(|cohorts| cohorts.insert(name.into(), keys));
}

pub(crate) fn in_cohort(name: &str, key: &str) -> bool {
    COHORTS.with_borrow(|cohorts| cohorts.get(name).is_some_and(|keys| keys.contains(key)))
}

/// A device with ordinary values, to be changed by `Device { guid: …, ..device() }`.
pub fn device() -> Device {
    Device {
        guid: "g-1".into(),
        device_id: None,
        account: None,
        platform: "android".into(),
        os_version: "14".into(),
        host_app: "ha-shop".into(),
        host_version: "3.2.1".into(),
        sdk_version: "1.0.0".into(),
        network: "wifi".into(),
        attributes: Vec::new(),
    }
}

/// A task that has just started, to be changed by `Task { version: …, ..task() }`.
pub fn task() -> Task {
    Task {
        id: "gray_1".into(),
        mini_app_id: "mp-shop".into(),
        version: "1.1.0".into(),
        online: "1.0.0".into(),
        current: None,
        started: 0,
        now: 0,
        attributes: Vec::new(),
    }
}

/// A package in memory: `MemoryPackage::default().with("app.json", "{}")`.
#[derive(Clone, Debug, Default)]
pub struct MemoryPackage {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryPackage {
    /// Adds a file, or replaces it.
    pub fn with(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), content.into());
        self
    }

    /// Removes a file.
    pub fn without(mut self, path: &str) -> Self {
        self.files.remove(path);
        self
    }
}

impl Package for MemoryPackage {
    fn mini_app_id(&self) -> String {
        "mp-shop".into()
    }
    fn version(&self) -> String {
        "1.0.0".into()
    }
    fn size(&self) -> u64 {
        self.files.values().map(|bytes| bytes.len() as u64).sum()
    }
    fn manifest_path(&self) -> String {
        let manifests = ["app.json", "game.json", "plugin.json"];
        manifests.into_iter().find(|path| self.files.contains_key(*path)).unwrap_or("manifest.json").into()
    }
    fn manifest(&self) -> String {
        self.read_text(&self.manifest_path()).unwrap_or_default()
    }
    fn files(&self) -> Vec<File> {
        let file = |(path, bytes): (&String, &Vec<u8>)| File {
            path: path.clone(),
            size: bytes.len() as u64,
            sha256: vec![0; 32],
        };
        self.files.iter().map(file).collect()
    }
    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, ReadError> {
        const LIMIT: u32 = 64 << 10;
        if length > LIMIT {
            return Err(ReadError::TooLong(LIMIT));
        }
        let bytes = self.files.get(path).ok_or(ReadError::NoSuchFile)?;
        Ok(bytes.iter().skip(offset as usize).take(length as usize).copied().collect())
    }
}
