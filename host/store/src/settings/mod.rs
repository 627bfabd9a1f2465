//! The development settings of MiniApps: domains, permits in host apps, sensitive APIs of host apps.

mod domains;
mod permit;
mod sensitive;

pub use permit::PermitsOf;
