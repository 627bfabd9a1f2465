//! Authorised login: a user of a MiniApp logs in at a merchant's own provider, and is known as who they are there (U1, U19–U22).
//!
//! A **login entry** is a provider that a MiniApp's team has registered. An **authorised login** is one run of a user: begun by the
//! MiniApp's server, gone through by the user's browser, finished by the same server for the same user. What is left is a
//! **login binding**: this user of the MiniApp is that subject at the entry.

mod binding;
mod entry;
mod id_token;
mod login;
mod oauth;

pub use binding::{
    BoundUser, EndLoginBinding, LoginBinding, LoginBindingTold, LoginBindingsQuery, NamedLoginBinding, UserLoginBinding,
};
pub use entry::{Client, ClientAuth, LoginEntry, LoginEntryShown, LoginProvider, MOST_ENTRIES, PutLoginEntry};
pub use id_token::{Expected, IdClaims, Person, subject_at};
pub use login::{
    ARRIVAL_CODE, AuthorisedLogin, BACK_SECONDS, BeginLogin, FinishLogin, LOGIN_TICKET, LoginStep, TICKET_SECONDS,
    of_browser,
};
pub use oauth::{AskedFor, Metadata, authorise_address};
