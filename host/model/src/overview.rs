//! A MiniApp at one look: what is online, on trial, under audit, approved, in development, in grayscale (V3).

use serde::{Deserialize, Serialize};

use crate::{
    audit::Audit,
    mini_app::MiniApp,
    rollout::GrayTask,
    version::{Force, Trial, Version},
};

/// A MiniApp with the present state of its versions and releases (V3).
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Overview {
    /// The MiniApp itself.
    pub mini_app: MiniApp,
    /// Whether the caller sees it through a host app that it is bound to, without a role in its team: only what was published
    /// or submitted to that host app. `trial`, `development` and `gray_tasks`, which are the team's own, are empty then.
    #[serde(default)]
    pub through_host_app: bool,
    /// The online version; null when there is none.
    pub online: Option<Version>,
    /// The trial; null when there is none.
    pub trial: Option<Trial>,
    /// The audits of the versions that are under audit.
    pub auditing: Vec<Audit>,
    /// The approved versions, newest first.
    pub approved: Vec<Version>,
    /// The rejected versions that are above the online one, newest first.
    #[serde(default)]
    pub rejected: Vec<Version>,
    /// The versions in development, newest first.
    pub development: Vec<Version>,
    /// The gray tasks that have not ended, newest first.
    pub gray_tasks: Vec<GrayTask>,
    /// Why checks answer `force: true`, and for which versions; empty when they do not.
    #[serde(default)]
    pub force: Vec<Force>,
}
