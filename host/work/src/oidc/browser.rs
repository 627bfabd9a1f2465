//! What a browser holds of this host, and brings.

use berth_base::secret::Secret;

/// The secrets of a browser, each in a cookie of its own: a member of an organisation may be a user of a host app, too, and one is no
/// proof of the other.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    /// That of a user of a host app.
    pub user: Option<String>,
    /// That of a member of a workspace.
    pub member: Option<String>,
    /// By which it is known again when it comes back from the sign-in page of a workspace.
    pub sign_in: Option<String>,
    /// A login code that the host app has its web-view send in a header. No link and no page of others can send one.
    pub login_code: Option<Secret>,
}
