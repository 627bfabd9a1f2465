use berth_base::{clock::Millis, ids::{TokenId, UserId}};
use serde::{Deserialize, Serialize};
#[derive(Serialize)]
pub struct SignIn { pub sign_in_name: String, pub password: String }
#[derive(Deserialize)]
pub struct Session { pub id: TokenId, pub account: UserId, pub created_at: Millis, pub seen_at: Millis, pub expires_at: Millis, pub address: Option<String>, pub agent: Option<String>, pub current: bool }
#[derive(Deserialize)]
pub struct StartedSession { pub session: Session, pub secret: String }
#[derive(Deserialize)]
pub struct InvitationSeen { pub account: UserId, pub name: String, pub expires_at: Millis, pub has_password: bool }
#[derive(Serialize)]
pub struct AcceptInvitation { pub code: String, pub sign_in_name: Option<String>, pub password: Option<String> }
