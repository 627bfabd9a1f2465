//! One user in two MiniApps (U3–U9). A MiniApp knows its users by OpenIDs that nobody else has. When its team lets a partner
//! swap, and a user agrees, the partner's server is told by which OpenID that user is known there.

mod link;
mod partner;
mod recognise;
mod swap;

pub use link::{LinkUser, LinksQuery, UserLink};
pub use partner::{Partner, PartnerState};
pub use recognise::{EndRecognition, RecogniseUser, RecognisedUser, RecognitionHeld};
pub use swap::{MOST_SWAPPED, Swap, Swapped, Way};
