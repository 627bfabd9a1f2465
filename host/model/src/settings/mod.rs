//! The development settings of a MiniApp: with which domains it may communicate (D1), what it applies for in a host app
//! (D2, D3), which APIs a host app has marked as sensitive (D3), and what of it all reaches devices.

mod domain;
mod domains;
mod permit;
mod preset;
mod runtime;
mod sensitive;

pub use domain::{Domain, DomainKind};
pub use domains::{DomainChange, DomainSettings, Domains, DomainsChanged, SetDomains};
pub use permit::{
    Apply, Approve, HostAppPermitQuery, MiniAppPermitQuery, NewPermit, Permit, PermitAt, PermitDetail, PermitEnd,
    PermitKind, PermitMove, PermitState, PermitStep, Reason, check_until,
};
pub use preset::{Preset, PresetName, named};
pub use runtime::{AppSettings, DomainsRuntime, InForce, VerifiedDomains};
pub use sensitive::{
    ApiName, ApiStanding, LocalName, NewSensitiveApi, SensitiveApi, SensitiveApis, SensitiveApisChanged,
    SensitiveApisOf, SetSensitiveApis,
};
