//! Who may do what: accounts hold roles in scopes, tokens stand for accounts, and roles allow actions. And
//! how people get in: by invitations, passwords and sessions.
//!
//! Two questions are kept apart. *May the caller know that the thing exists?* If not, the answer is `not-found`, as for
//! a thing that does not exist. *May the caller do this to it?* If not, the answer is `missing-grant`.

mod accounts;
mod config;
mod first;
mod invitation;
mod password;
mod people;
mod provider;
mod second_factor;
mod session;
mod token;
mod watch;

pub use accounts::{
    Myself, account, account_names, accounts, create_account, create_team, disable, edit_team, enable, me, members,
    set_role, teams,
};
pub use berth_model::access::*;
pub use config::SessionConfig;
pub use first::{admin_token, first_admin};
pub use invitation::{invitations, invite_admin, withdraw_invitation};
pub use people::People;
pub use provider::{Provider, ProviderConfig, provider_link, unlink_provider_of};
pub use second_factor::{remove_second_factor_of, second_factor};
pub use session::{end_session, run_forgetter, sessions};
pub use token::{Entered, issue_token, look_again, revoke_token, tokens};
pub use watch::{FRESH, Watch};
