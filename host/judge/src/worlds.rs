//! The worlds of `wit/` as Rust, and the conversions to and from the values of this crate. Nothing of this is public.

use wasmtime::{
    Result,
    component::{HasSelf, Instance, InstancePre, Linker},
};

use super::{description::RawDescription, guest::Guest};
use berth_model::policy as values;

/// The world `grayscale`. The interface `log`, which all worlds use, is generated here.
pub mod grayscale {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "berth:policy/grayscale",
        imports: { default: trappable },
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

/// The world `auditor`.
pub mod auditor {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "berth:policy/auditor",
        imports: { default: trappable },
        with: {
            "berth:policy/log": super::grayscale::berth::policy::log,
            "berth:policy/contents.archive": crate::guest::Archive,
        },
    });
}

/// The world `guard`.
pub mod guard {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "berth:policy/guard",
        imports: { default: trappable },
        with: { "berth:policy/log": super::grayscale::berth::policy::log },
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

/// A wasmtime store with one guest in it.
pub type Store = wasmtime::Store<Guest>;

/// What all worlds have in common, so that one runner serves all of them.
pub trait World: Sized + 'static {
    /// The places of the world's exports, looked up once per policy.
    type Indices: Send + Sync + 'static;

    /// Links the interfaces that the world may import.
    fn grant(linker: &mut Linker<Guest>) -> Result<()>;
    /// Looks up the world's exports in a linked program.
    fn indices(program: &InstancePre<Guest>) -> Result<Self::Indices>;
    /// Makes the world of an instance. Fails when an export has another type than the world says.
    fn attach(indices: &Self::Indices, store: &mut Store, instance: &Instance) -> Result<Self>;
    /// Calls `about.describe`.
    fn describe(&self, store: &mut Store) -> Result<RawDescription>;
    /// Calls `configure.configure`.
    fn configure(&self, store: &mut Store, config: &str) -> Result<Result<(), String>>;
}

macro_rules! world {
    ($module:ident::$world:ident, $indices:ident) => {
        impl World for $module::$world {
            type Indices = $module::$indices;

            fn grant(linker: &mut Linker<Guest>) -> Result<()> {
                Self::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)
            }

            fn indices(program: &InstancePre<Guest>) -> Result<Self::Indices> {
                Self::Indices::new(program)
            }

            fn attach(indices: &Self::Indices, store: &mut Store, instance: &Instance) -> Result<Self> {
                indices.load(store, instance)
            }

            fn describe(&self, store: &mut Store) -> Result<RawDescription> {
                let about = self.berth_policy_about().call_describe(store)?;
                Ok(RawDescription {
                    name: about.name,
                    version: about.version,
                    summary: about.summary,
                    config_schema: about.config_schema,
                })
            }

            fn configure(&self, store: &mut Store, config: &str) -> Result<Result<(), String>> {
                self.berth_policy_configure().call_configure(store, config)
            }
        }
    };
}

world!(auditor::Auditor, AuditorIndices);
world!(grayscale::Grayscale, GrayscaleIndices);
world!(guard::Guard, GuardIndices);

pub mod gray {
    //! Values of the world `grayscale`. They borrow from the host's values, as decisions are made very often.

    use berth_model::policy as values;

    use super::grayscale::exports::berth::policy::gray;

    pub use gray::{Attribute, Device, Task};

    /// The attributes as the world takes them.
    pub fn attributes<'a>(own: &'a [values::Attribute<'_>]) -> Vec<Attribute<'a>> {
        own.iter().map(|a| Attribute { name: &a.name, value: &a.value }).collect()
    }

    /// The device as the world takes it.
    pub fn device<'a>(own: &'a values::GrayDevice<'_>, attributes: &'a [Attribute<'a>]) -> Device<'a> {
        Device {
            guid: &own.guid,
            device_id: own.device_id.as_deref(),
            account: own.account.as_deref(),
            platform: &own.platform,
            os_version: &own.os_version,
            host_app: &own.host_app,
            host_version: &own.host_version,
            sdk_version: &own.sdk_version,
            network: &own.network,
            attributes,
        }
    }

    /// The task as the world takes it.
    pub fn task<'a>(own: &'a values::GrayTask<'_>, attributes: &'a [Attribute<'a>]) -> Task<'a> {
        Task {
            id: &own.id,
            mini_app_id: &own.mini_app_id,
            version: &own.version,
            online: &own.online,
            current: own.current.as_deref(),
            started: own.started,
            now: own.now,
            attributes,
        }
    }

    impl From<gray::Verdict> for values::GrayVerdict {
        fn from(verdict: gray::Verdict) -> Self {
            match verdict {
                gray::Verdict::Admit => Self::Admit,
                gray::Verdict::Refuse(why) => Self::Refuse(why),
            }
        }
    }
}

impl From<auditor::exports::berth::policy::audit::Finding> for values::Finding {
    fn from(found: auditor::exports::berth::policy::audit::Finding) -> Self {
        use auditor::exports::berth::policy::audit::Severity;
        Self {
            rule: found.rule,
            severity: match found.severity {
                Severity::Note => values::Severity::Note,
                Severity::Warning => values::Severity::Warning,
                Severity::Error => values::Severity::Error,
            },
            message: found.message,
            place: found.place.map(|at| values::Place { path: at.path, line: at.line, column: at.column }),
            fix: found.fix,
        }
    }
}

pub mod watch {
    //! Values of the world `guard`.

    use berth_model::policy as values;

    use super::guard::exports::berth::policy::watch;

    pub use watch::{Health, Window};

    /// The health as the world takes it.
    pub fn health<'a>(own: &'a values::Health, gray: &'a [Window], online: &'a [Window]) -> Health<'a> {
        Health {
            task_id: &own.task_id,
            mini_app_id: &own.mini_app_id,
            version: &own.version,
            since: own.since,
            now: own.now,
            gray,
            online,
        }
    }

    /// The windows as the world takes them.
    pub fn windows(own: &[values::Window]) -> Vec<Window> {
        let window = |w: &values::Window| Window {
            minutes: w.minutes,
            checks: w.checks,
            downloads: w.downloads,
            tried: w.tried,
            failed: w.failed,
        };
        own.iter().map(window).collect()
    }

    impl From<watch::Advice> for values::Advice {
        fn from(advice: watch::Advice) -> Self {
            match advice {
                watch::Advice::CarryOn => Self::CarryOn,
                watch::Advice::Suspend(why) => Self::Suspend(why),
                watch::Advice::End(why) => Self::End(why),
            }
        }
    }
}
