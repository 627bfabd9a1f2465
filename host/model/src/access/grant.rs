//! Roles, scopes and actions, and which role allows which action.

use berth_base::{
    error::{Error, Result},
    ids::{HostAppId, MerchantId, TeamId, WorkspaceId},
    text::text_enum,
};

/// The place in which a role holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The whole installation.
    Platform,
    /// A team and its MiniApps.
    Team(TeamId),
    /// A host app with its bindings and its part in audits.
    HostApp(HostAppId),
    /// A merchant and its endpoint applications.
    Merchant(MerchantId),
    /// A workspace with its address book.
    Workspace(WorkspaceId),
}

text_enum! {
    /// The kind of a scope.
    ScopeKind {
        /// The whole installation.
        Platform = "platform",
        /// A team.
        Team = "team",
        /// A host app.
        HostApp = "host_app",
        /// A merchant.
        Merchant = "merchant",
        /// A workspace.
        Workspace = "workspace",
    }
}

text_enum! {
    /// The role of an account in a scope. An account has at most one role in each scope.
    Role {
        /// Of any scope: may do everything in it, and gives and takes roles in it.
        Admin = "admin",
        /// Of a team: uploads and submits versions.
        Developer = "developer",
        /// Of a team: does what a developer does, and publishes, rolls back and runs gray tasks. Of a merchant: changes
        /// endpoint applications, channels, organisation nodes and entry pages, learns who visits, binds fans and sends them
        /// messages.
        Operator = "operator",
        /// Of a team, a merchant or a workspace: reads. Of the platform: reads everything, as downstream services need it.
        Viewer = "viewer",
        /// Of a host app: decides in audits and about sensitive APIs.
        Auditor = "auditor",
        /// Of a host app: its server, which says who its users are and may do nothing else. Of a workspace: the server of its portal,
        /// which says who its members are, and asks what they may open.
        Server = "server",
        /// Of the platform: the order system, which sends fulfilment messages and may do nothing else.
        Fulfiller = "fulfiller",
        /// Of a workspace: the directory of the organisation, which keeps its address book by SCIM and may do nothing else.
        Provisioner = "provisioner",
    }
}

text_enum! {
    /// What a token may be used for. The roles of its account must allow it as well.
    TokenScope {
        /// Reading.
        Read = "read",
        /// Creating MiniApps; uploading, submitting and withdrawing versions; domains, and applying for permits.
        Develop = "develop",
        /// Publishing, rolling back, taking off the shelf, and gray tasks.
        Release = "release",
        /// Deciding in audits and about sensitive APIs for a host app.
        Audit = "audit",
        /// Managing members, tokens, bindings, policies and what is sensitive; deciding who may skip the verification of domains.
        Manage = "manage",
        /// Changing endpoint applications, channels, organisation nodes and entry pages; fans and template messages.
        Operate = "operate",
        /// Sending fulfilment messages and looking after those that wait.
        Fulfil = "fulfil",
        /// Saying who the users of a host app or the members of a workspace are.
        Vouch = "vouch",
        /// Keeping the address book of a workspace, by SCIM.
        Provision = "provision",
    }
}

text_enum! {
    /// Something that a caller wants to do; roles allow actions.
    Action {
        /// Read what is in a scope.
        Read = "read",
        /// Create a MiniApp, and edit its name and description.
        EditMiniApp = "edit-mini-app",
        /// Upload, replace, submit, withdraw and delete versions, set the trial and the domains, and apply for permits.
        Develop = "develop",
        /// Publish, roll back, take off the shelf, and run gray tasks.
        Release = "release",
        /// Approve or reject versions, and decide about sensitive APIs, on behalf of a host app.
        Decide = "decide",
        /// Bind MiniApps, change settings, and bind policies in a scope.
        Configure = "configure",
        /// Change endpoint applications, channels, organisation nodes and entry pages, learn who visits, bind fans, send template
        /// messages.
        Operate = "operate",
        /// Send fulfilment messages, and look after those that wait.
        Fulfil = "fulfil",
        /// Say who the users of a host app are, so that they are logged in to MiniApps, or who the members of a workspace are, so
        /// that they are signed on to internal tools.
        Vouch = "vouch",
        /// Keep the address book of a workspace: its members, departments and tags.
        Provision = "provision",
        /// Give and take roles.
        ManageMembers = "manage-members",
        /// Read who did what in a scope, and from where.
        ReadActs = "read-acts",
        /// Install policies; create accounts and host apps.
        Administer = "administer",
    }
}

impl ScopeKind {
    /// The kind of scope as a phrase for error messages.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Team => "MiniApp's team",
            Self::HostApp => "host app",
            Self::Merchant => "merchant",
            Self::Workspace => "workspace",
        }
    }

    /// The roles that an account can have in a scope of this kind.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::Platform => &[Role::Admin, Role::Viewer, Role::Fulfiller],
            Self::Team => &[Role::Admin, Role::Operator, Role::Developer, Role::Viewer],
            Self::HostApp => &[Role::Admin, Role::Auditor, Role::Server],
            Self::Merchant => &[Role::Admin, Role::Operator, Role::Viewer],
            Self::Workspace => &[Role::Admin, Role::Viewer, Role::Server, Role::Provisioner],
        }
    }
}

impl ScopeKind {
    /// Refuses a role that no account can have in a scope of this kind.
    ///
    /// # Errors
    /// `invalid-field` for the member `field`.
    pub fn require_role(self, field: &str, role: Role) -> Result<()> {
        if self.roles().contains(&role) {
            return Ok(());
        }
        let roles: Vec<_> = self.roles().iter().map(|role| role.as_str()).collect();
        Err(Error::field(field, format!("a {self} has the roles {}.", roles.join(", "))))
    }
}

impl Action {
    /// Whether `role` in a scope of this kind allows the action. That admins of the platform may do everything is not
    /// considered here.
    pub(crate) fn granted_to(self, scope: ScopeKind, role: Role) -> bool {
        if !scope.roles().contains(&role) {
            return false;
        }
        match self {
            Self::Read => !matches!(role, Role::Fulfiller | Role::Server | Role::Provisioner),
            Self::EditMiniApp | Self::Develop => scope == ScopeKind::Team && role != Role::Viewer,
            Self::Release => scope == ScopeKind::Team && matches!(role, Role::Admin | Role::Operator),
            Self::Decide => scope == ScopeKind::HostApp && role != Role::Server,
            Self::Vouch => {
                matches!(scope, ScopeKind::HostApp | ScopeKind::Workspace) && matches!(role, Role::Admin | Role::Server)
            }
            Self::Provision => scope == ScopeKind::Workspace && matches!(role, Role::Admin | Role::Provisioner),
            Self::Operate => scope == ScopeKind::Merchant && role != Role::Viewer,
            Self::Fulfil => scope == ScopeKind::Platform && role != Role::Viewer,
            Self::Configure | Self::ManageMembers => role == Role::Admin,
            Self::ReadActs => role == Role::Admin || scope == ScopeKind::Platform && role == Role::Viewer,
            Self::Administer => scope == ScopeKind::Platform && role == Role::Admin,
        }
    }

    /// The roles that allow the action in a scope of this kind.
    pub fn roles(self, scope: ScopeKind) -> impl Iterator<Item = Role> {
        scope.roles().iter().copied().filter(move |role| self.granted_to(scope, *role))
    }

    /// The scope that a token must have for the action.
    pub fn token_scope(self) -> TokenScope {
        match self {
            Self::Read | Self::ReadActs => TokenScope::Read,
            Self::EditMiniApp | Self::Develop => TokenScope::Develop,
            Self::Release => TokenScope::Release,
            Self::Decide => TokenScope::Audit,
            Self::Operate => TokenScope::Operate,
            Self::Fulfil => TokenScope::Fulfil,
            Self::Vouch => TokenScope::Vouch,
            Self::Provision => TokenScope::Provision,
            Self::Configure | Self::ManageMembers | Self::Administer => TokenScope::Manage,
        }
    }

    /// The roles that allow the action in a scope of this kind, as a phrase such as `the role admin or operator`.
    pub(crate) fn roles_in_words(self, scope: ScopeKind) -> String {
        let roles: Vec<_> = self.roles(scope).map(Role::as_str).collect();
        format!("the role {}", roles.join(" or "))
    }
}

impl Scope {
    /// The kind of the scope.
    pub fn kind(&self) -> ScopeKind {
        match self {
            Self::Platform => ScopeKind::Platform,
            Self::Team(_) => ScopeKind::Team,
            Self::HostApp(_) => ScopeKind::HostApp,
            Self::Merchant(_) => ScopeKind::Merchant,
            Self::Workspace(_) => ScopeKind::Workspace,
        }
    }

    /// The id of what the scope covers; empty for the platform.
    pub fn id(&self) -> &str {
        match self {
            Self::Platform => "",
            Self::Team(id) => id.as_str(),
            Self::HostApp(id) => id.as_str(),
            Self::Merchant(id) => id.as_str(),
            Self::Workspace(id) => id.as_str(),
        }
    }

    /// From its kind and id, as stored.
    pub fn parse(kind: ScopeKind, id: &str) -> Result<Self> {
        Ok(match kind {
            ScopeKind::Platform => Self::Platform,
            ScopeKind::Team => Self::Team(id.parse()?),
            ScopeKind::HostApp => Self::HostApp(id.parse()?),
            ScopeKind::Merchant => Self::Merchant(id.parse()?),
            ScopeKind::Workspace => Self::Workspace(id.parse()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f80_a_role_never_acts_outside_its_kind_of_scope() {
        for action in Action::ALL {
            for role in Role::ALL {
                for kind in ScopeKind::ALL {
                    assert!(kind.roles().contains(role) || !action.granted_to(*kind, *role), "{action} {role} {kind}");
                }
            }
        }
    }

    #[test]
    fn f80_the_table_of_team_roles() {
        let may = |role| {
            Action::ALL.iter().filter(|a| a.granted_to(ScopeKind::Team, role)).map(|a| a.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(may(Role::Viewer), ["read"]);
        assert_eq!(may(Role::Developer), ["read", "edit-mini-app", "develop"]);
        assert_eq!(may(Role::Operator), ["read", "edit-mini-app", "develop", "release"]);
        assert_eq!(
            may(Role::Admin),
            ["read", "edit-mini-app", "develop", "release", "configure", "manage-members", "read-acts"]
        );
    }

    #[test]
    fn f80_k5_the_server_of_a_host_app_says_who_its_users_are_and_does_nothing_else() {
        let may = |role| {
            let granted = Action::ALL.iter().filter(|action| action.granted_to(ScopeKind::HostApp, role));
            granted.map(|action| action.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(may(Role::Server), ["vouch"]);
        assert_eq!(may(Role::Auditor), ["read", "decide"]);
        assert_eq!(may(Role::Admin), ["read", "decide", "configure", "vouch", "manage-members", "read-acts"]);
    }

    #[test]
    fn f80_w5_the_directory_of_an_organisation_keeps_the_address_book_and_does_nothing_else() {
        let may = |role| {
            let granted = Action::ALL.iter().filter(|action| action.granted_to(ScopeKind::Workspace, role));
            granted.map(|action| action.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(may(Role::Provisioner), ["provision"]);
        assert_eq!(may(Role::Viewer), ["read"]);
        assert_eq!(may(Role::Server), ["vouch"]);
        assert_eq!(may(Role::Admin), ["read", "configure", "vouch", "provision", "manage-members", "read-acts"]);
    }
}
