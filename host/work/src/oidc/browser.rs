//! What a browser holds of this host.

/// The secrets of the sign-ons of a browser, each in a cookie of its own: a member of an organisation may be a user of a host app,
/// too, and one is no proof of the other.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    /// That of a user of a host app.
    pub user: Option<String>,
    /// That of a member of a workspace.
    pub member: Option<String>,
}
