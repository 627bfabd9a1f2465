//! Privacy agreements of MiniApps, consents of users to them, and what a user leaves behind.

mod agreement;
mod consent;
mod person;

pub use person::KnownUser;
