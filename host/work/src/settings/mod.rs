//! The development settings of MiniApps: domains (D1), permits in host apps (D2, D3, D6), sensitive APIs (D3).

mod domains;
mod permit;
mod runtime;
mod sensitive;
mod ticker;

pub use berth_model::settings::*;
pub use domains::{get as domains, set as set_domains};
pub use permit::{
    apply, approve, end_all as end_permits, get as permit, in_host_app, of_mini_app, refuse, revoke, withdraw,
};
pub use runtime::runtime;
pub use sensitive::{get as sensitive_apis, of_mini_app as sensitive_apis_of, presets, set as set_sensitive_apis};
pub use ticker::{run as run_ticker, tick};

use berth_base::error::Result;

/// Decides by the present state of a thing whether a change of it is still wanted. An error refuses the change.
pub type Precondition<'a, T> = dyn Fn(&T) -> Result<()> + Send + Sync + 'a;
