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
    /// The online version; null when there is none.
    pub online: Option<Version>,
    /// The trial; null when there is none.
    pub trial: Option<Trial>,
    /// The audits of the versions that are under audit.
    pub auditing: Vec<Audit>,
    /// The approved versions, newest first.
    pub approved: Vec<Version>,
    /// The versions in development, newest first.
    pub development: Vec<Version>,
    /// The gray tasks that have not ended, newest first.
    pub gray_tasks: Vec<GrayTask>,
    /// Why checks answer `force: true`, and for which versions; empty when they do not.
    #[serde(default)]
    pub force: Vec<Force>,
}
