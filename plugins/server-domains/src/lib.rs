//! Compares the addresses in code and markup with the domains that are set (D1, D8).
//!
//! | rule | severity | what |
//! |---|---|---|
//! | `domain-not-set` | `severity` of the config, a warning unless it says otherwise | a request, an upload, a download, a socket or a page in a web-view goes to a domain that is not set for it; a note where every host app skips the verification |
//! | `insecure-address` | warning | `http://` or `ws://`, which host apps refuse |
//! | `ip-address` | warning | an IP address or `localhost`, which cannot be set |
//! | `address-unknown` | note | the address is known only at run time |
//!
//! Each is told once for each kind and domain, at the first place, with the number of the others: there is one thing to do
//! about it. An address may be put together from constants of the script and of those that it imports. A call of another object
//! than the platform's counts when it is given an absolute address, as wrappers of `request` are.

mod address;
mod scripts;
mod web_view;

use std::{cell::RefCell, collections::HashMap};

use berth_policy::{Auditor, Description, Finding, Package, Policy, Severity, serde::Deserialize};
use berth_policy_javascript::{Alike, Value, each_file, exports, is_script, with_program};
use berth_policy_layout::Layout;

use address::{Address, Read};

/// The kinds of domains, by the names that settings have for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Request,
    Upload,
    Download,
    Socket,
    Udp,
    Tcp,
    Business,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Upload => "upload",
            Self::Download => "download",
            Self::Socket => "socket",
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Business => "business",
        }
    }
}

/// The policy, which is its config.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields, default)]
pub struct ServerDomains {
    set: Option<Set>,
    severity: Level,
    max_file_bytes: u64,
}

/// What is set, as the host tells it.
#[derive(Default, Deserialize)]
#[serde(crate = "berth_policy::serde", default)]
struct Set {
    domains: HashMap<String, Vec<String>>,
    verified_in: Vec<String>,
    skipped_in: Vec<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(crate = "berth_policy::serde", rename_all = "lowercase")]
enum Level {
    Note,
    Warning,
    Error,
}

impl Default for ServerDomains {
    fn default() -> Self {
        Self { set: None, severity: Level::Warning, max_file_bytes: 8 << 20 }
    }
}

impl Policy for ServerDomains {
    type Config = Self;

    const DESCRIPTION: Description = Description {
        name: "server-domains",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Compares the addresses that code asks, connects to and shows in web-views with the domains that are set.",
        config_schema: include_str!("../config.schema.json"),
    };

    fn configure(config: Self) -> Result<Self, String> {
        Ok(config)
    }
}

/// What scripts export, by path.
pub(crate) type Exports = HashMap<String, Value>;

/// Scripts up to this size are looked at for constants that others import.
const MAX_CONSTANTS: u64 = 256 << 10;

impl Auditor for ServerDomains {
    fn audit(&self, package: &dyn Package) -> Result<Vec<Finding>, String> {
        let layout = Layout::of(package)?;
        let exported = all_exports(package, &layout)?;
        let (addresses, alike) = (RefCell::new(scripts::Named::default()), RefCell::new(Alike::default()));
        let mini_app = package.mini_app_id();
        let mut findings = each_file(package, self.max_file_bytes, is_script, |source| {
            let found = scripts::judge(self, &layout, &exported, &addresses, &mini_app, source);
            alike.borrow_mut().add_all(source, found);
            Vec::new()
        })?;
        let named = addresses.into_inner();
        let markup = |path: &str| web_view::is_markup(path);
        findings.extend(each_file(package, self.max_file_bytes, markup, |source| {
            alike.borrow_mut().add_all(source, web_view::judge(self, &named, &mini_app, source));
            Vec::new()
        })?);
        findings.extend(alike.into_inner().findings());
        Ok(findings)
    }
}

fn all_exports(package: &dyn Package, layout: &Layout) -> Result<Exports, String> {
    let exported = RefCell::new(Exports::new());
    let small: Vec<_> =
        package.files().into_iter().filter(|file| file.size <= MAX_CONSTANTS).map(|file| file.path).collect();
    let wanted = |path: &str| is_script(path) && !layout.is_npm(path) && small.iter().any(|small| small == path);
    each_file(package, MAX_CONSTANTS, wanted, |source| {
        if let Ok(Some(value)) = with_program(source, exports) {
            exported.borrow_mut().insert(source.path.clone(), value);
        }
        Vec::new()
    })?;
    Ok(exported.into_inner())
}

impl ServerDomains {
    /// What is to be said of an address that `what` (`wx.request`) goes to, and the kind and the address that it is about.
    pub(crate) fn finding(&self, kind: Kind, what: &str, address: &Read, mini_app: &str) -> Option<(String, Finding)> {
        let (whereto, finding) = match address {
            Read::Insecure { scheme, host } => (format!("{scheme}://{host}"), insecure(what, scheme, host)),
            Read::Ip(host) => {
                let text = format!("{what} goes to {host}. An IP address or localhost cannot be set as a domain.");
                let finding = Finding::warning("ip-address", text);
                (host.clone(), finding.fix("Give the server a name, and set its domain."))
            }
            Read::Address(address) => (address.to_string(), self.not_set(kind, what, address, mini_app)?),
            Read::Unknown | Read::Elsewhere => return None,
        };
        Some((format!("{} {whereto}", kind.name()), finding))
    }

    /// Whether anything is compared.
    pub(crate) fn compares(&self) -> bool {
        self.set.is_some()
    }

    fn not_set(&self, kind: Kind, what: &str, address: &Address, mini_app: &str) -> Option<Finding> {
        let set = self.set.as_ref()?;
        let name = kind.name();
        let known = set.domains.get(name).map(Vec::as_slice).unwrap_or_default();
        if known.iter().any(|domain| address.is_of(domain)) {
            return None;
        }
        let text = format!("{what} goes to {address}, which is none of the {name} domains of {mini_app}.");
        let fix = format!("Set it (berth domains add {mini_app} --{name} {address}), or ask another domain.");
        let skipped = set.verified_in.is_empty() && !set.skipped_in.is_empty();
        let severity = match self.severity {
            _ if skipped => Severity::Note,
            Level::Note => Severity::Note,
            Level::Warning => Severity::Warning,
            Level::Error => Severity::Error,
        };
        let where_else = if skipped { " All host apps skip the verification." } else { "" };
        Some(Finding::new(severity, "domain-not-set", format!("{text}{where_else}")).fix(fix))
    }
}

fn insecure(what: &str, scheme: &str, host: &str) -> Finding {
    let wanted = if scheme == "ws" { "wss" } else { "https" };
    let text = match host {
        "" => format!("{what} uses {scheme}://, which host apps refuse."),
        host => format!("{what} goes to {scheme}://{host}, and host apps refuse {scheme}://."),
    };
    Finding::warning("insecure-address", text).fix(format!("Use {wanted}://."))
}

berth_policy::auditor!(ServerDomains);

#[cfg(test)]
mod tests;
