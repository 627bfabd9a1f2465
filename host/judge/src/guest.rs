//! The state that the host keeps for one guest: what it was granted, what it has used, and its log.

use std::{fmt, mem, sync::Arc};

use wasmtime::{ResourceLimiter, Result, component::Resource};

use super::{
    Cohorts, Contents, Limit, Limits, LogLevel, LogLine, ReadError,
    worlds::{
        auditor::berth::policy::contents::{self, File},
        grayscale::berth::policy::{cohort, log},
    },
};

/// How many bytes one read may return: enough to stream through a file, and too few to hold up the host.
pub const MAX_READ: u32 = 1 << 20;

/// A limit was hit. wasmtime passes it on as an error, which is recognised by its type.
#[derive(Debug)]
pub(crate) struct Exceeded(pub Limit);

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} limit was hit", self.0)
    }
}

impl std::error::Error for Exceeded {}

/// A guest said that it broke. wasmtime passes it on as an error, whose text is the guest's own.
#[derive(Debug)]
struct Fatal(String);

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fatal {}

/// How many characters the last words of a guest may have; what is longer is cut.
const MAX_LAST_WORDS: usize = 2_000;

/// The package under audit. A guest has one only, so that its handle needs no number.
pub struct Archive;

impl Archive {
    /// The handle of the package, as an auditor gets it.
    pub(crate) fn handle() -> Resource<Self> {
        Resource::new_borrow(0)
    }
}

/// What a guest may use besides the log.
#[derive(Clone)]
pub enum Grant {
    /// Nothing else, for guards and during installation.
    None,
    /// The lists of the host, for a grayscale policy.
    Cohorts(Arc<dyn Cohorts>),
    /// The package under audit, for an auditor.
    Archive(Arc<dyn Contents>),
}

/// The state of the host for one instance.
pub struct Guest {
    grant: Grant,
    log: Vec<LogLine>,
    log_bytes_left: u64,
    log_lines: u64,
    /// Counts the memory and the tables of the guest.
    pub meter: Meter,
}

impl Guest {
    /// The state of a guest that has not run yet.
    pub fn new(limits: &Limits) -> Self {
        Self { grant: Grant::None, log: Vec::new(), log_bytes_left: 0, log_lines: 0, meter: Meter::new(limits) }
    }

    /// Begins an evaluation, which has a grant and a log of its own.
    pub fn begin(&mut self, grant: Grant, limits: &Limits) {
        self.grant = grant;
        (self.log_bytes_left, self.log_lines) = (limits.log_bytes, limits.log_lines);
    }

    /// Ends an evaluation: what it was granted is given back, and its log is returned.
    pub fn end(&mut self) -> Vec<LogLine> {
        self.grant = Grant::None;
        mem::take(&mut self.log)
    }

    fn archive(&self) -> Result<&dyn Contents> {
        match &self.grant {
            Grant::Archive(archive) => Ok(archive.as_ref()),
            _ => Err(wasmtime::Error::msg("there is no package under audit in this call")),
        }
    }
}

impl log::Host for Guest {
    fn write(&mut self, level: log::Level, message: String) -> Result<()> {
        let left = self.log_bytes_left.checked_sub(message.len() as u64);
        let (Some(left), true) = (left, (self.log.len() as u64) < self.log_lines) else {
            return Err(Exceeded(Limit::Log).into());
        };
        self.log_bytes_left = left;
        let level = match level {
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
        };
        self.log.push(LogLine { level, message });
        Ok(())
    }

    fn fatal(&mut self, mut message: String) -> Result<()> {
        if let Some((end, _)) = message.char_indices().nth(MAX_LAST_WORDS) {
            message.truncate(end);
            message.push('…');
        }
        Err(Fatal(message).into())
    }
}

impl cohort::Host for Guest {
    fn contains(&mut self, id: String, key: String) -> Result<bool> {
        match &self.grant {
            Grant::Cohorts(cohorts) => Ok(cohorts.contains(&id, &key)),
            // During installation and the trial of a config no list is known yet, and such a list has no members.
            _ => Ok(false),
        }
    }
}

impl contents::Host for Guest {}

impl contents::HostArchive for Guest {
    fn mini_app_id(&mut self, _: Resource<Archive>) -> Result<String> {
        Ok(self.archive()?.mini_app_id().into())
    }

    fn version(&mut self, _: Resource<Archive>) -> Result<String> {
        Ok(self.archive()?.version().into())
    }

    fn size(&mut self, _: Resource<Archive>) -> Result<u64> {
        Ok(self.archive()?.size())
    }

    fn manifest_path(&mut self, _: Resource<Archive>) -> Result<String> {
        Ok(self.archive()?.manifest_path().into())
    }

    fn manifest(&mut self, _: Resource<Archive>) -> Result<String> {
        Ok(self.archive()?.manifest().into())
    }

    fn files(&mut self, _: Resource<Archive>) -> Result<Vec<File>> {
        let file = |f: &super::PackageFile| File { path: f.path.clone(), size: f.size, sha256: f.sha256.to_vec() };
        Ok(self.archive()?.files().iter().map(file).collect())
    }

    fn read(
        &mut self,
        _: Resource<Archive>,
        path: String,
        offset: u64,
        length: u32,
    ) -> Result<Result<Vec<u8>, contents::ReadError>> {
        if length > MAX_READ {
            return Ok(Err(contents::ReadError::TooLong(MAX_READ)));
        }
        Ok(self.archive()?.read(&path, offset, length).map_err(|e| match e {
            ReadError::NoSuchFile => contents::ReadError::NoSuchFile,
            ReadError::Damaged => contents::ReadError::Damaged,
        }))
    }

    fn drop(&mut self, _: Resource<Archive>) -> Result<()> {
        Ok(())
    }
}

/// Adds up the memories and tables of a guest, as wasmtime's own limits count each of them alone.
pub(crate) struct Meter {
    memory: Gauge,
    table: Gauge,
}

struct Gauge {
    used: u64,
    most: u64,
    limit: Limit,
}

impl Gauge {
    /// Growth beyond the limit ends the evaluation, so that the limit is reported by its name. Growth beyond what the
    /// guest itself declared fails inside the guest, as the wasm specification says.
    fn grow(&mut self, current: usize, desired: usize, declared: Option<usize>) -> Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current) as u64);
        if used > self.most {
            return Err(Exceeded(self.limit).into());
        }
        let allowed = declared.is_none_or(|most| desired <= most);
        if allowed {
            self.used = used;
        }
        Ok(allowed)
    }
}

impl Meter {
    fn new(limits: &Limits) -> Self {
        Self {
            memory: Gauge { used: 0, most: limits.memory_bytes, limit: Limit::Memory },
            table: Gauge { used: 0, most: limits.table_elements, limit: Limit::Table },
        }
    }

    /// The bytes of all linear memories. Memories never shrink, so this is also the peak.
    pub fn memory(&self) -> u64 {
        self.memory.used
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.memory.grow(current, desired, maximum)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.table.grow(current, desired, maximum)
    }
}
