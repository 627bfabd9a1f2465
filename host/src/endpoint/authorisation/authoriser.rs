//! How the platform of a channel authorises us: WeChat by its third-party platform, all others by the merchant's word.

use futures_util::future::BoxFuture;

use super::{
    Authorisation,
    stage::Grant,
    vouched::Vouching,
    wechat::{self, WechatAuthoriser},
};
use crate::{
    endpoint::authorisation::Channels,
    endpoint::channel::ChannelKind,
    error::{Code, Error, Kind, Result},
    seal::Secret,
    store::{Db, Tx},
    wechat::{
        Refusal,
        accounts::{Failure, NewGrant},
    },
};

/// Why a step did not succeed.
#[derive(Debug)]
pub enum Trouble {
    /// It may later: try again after so many seconds.
    Later {
        /// Seconds.
        after: i64,
        /// Why, in words.
        why: String,
    },
    /// It never will.
    Final {
        /// The stable word.
        reason: &'static str,
        /// In words.
        detail: String,
    },
}

impl Trouble {
    /// What WeChat's refusal or this host's failure means for a step that was tried `attempts` times before.
    pub fn of(failure: Failure, attempts: i64) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::refused(&refusal, attempts),
            Failure::Host(error) => Self::host(error, attempts),
        }
    }

    fn refused(refusal: &Refusal, attempts: i64) -> Self {
        let (why, doubled) = (format!("{refusal}."), attempts.clamp(0, 6));
        match refusal {
            Refusal::Unreachable(_) | Refusal::Busy | Refusal::TokenExpired(_) => {
                Self::Later { after: 2 << doubled, why }
            }
            Refusal::RateLimited(_) => Self::Later { after: 60 << doubled, why },
            Refusal::Ticket(_) => Self::Later { after: 30, why: format!("{why} WeChat sends one every ten minutes.") },
            Refusal::CodeInvalid(_) => Self::failed("code-invalid", format!("{why} Start again.")),
            Refusal::Revoked(_) => Self::failed(Code::AuthorisationRevoked.slug(), why),
            Refusal::Other { .. } => Self::failed("wechat-refused", why),
        }
    }

    /// A refusal of ours that trying again does not change is final.
    pub fn host(error: Error, attempts: i64) -> Self {
        match error.code.kind() {
            Kind::Malformed | Kind::Invalid | Kind::Conflict | Kind::NotFound | Kind::Forbidden | Kind::Gone => {
                Self::failed(error.code.slug(), error.detail)
            }
            _ => {
                tracing::warn!(?error, "a step of an authorisation failed; trying again");
                Self::Later { after: 2 << attempts.clamp(0, 6), why: error.detail }
            }
        }
    }

    fn failed(reason: &'static str, detail: String) -> Self {
        Self::Final { reason, detail }
    }
}

/// How an authorisation begins.
pub enum Beginning {
    /// With a link for the merchant.
    Link(Link),
    /// With the merchant's word, and nothing more is needed.
    Vouched(Grant),
}

/// Where the merchant authorises.
pub struct Link {
    /// The state that comes back with the merchant.
    pub state: Secret,
    /// The platform's page.
    pub page: String,
    /// What names this link in what the platform tells us.
    pub pre_auth: Secret,
    /// Seconds for which it is good.
    pub good_for: i64,
}

/// What a code was turned into.
pub struct Redeemed {
    /// What was granted.
    pub grant: Grant,
    /// The tokens, sealed, to be kept in the same transaction.
    pub keep: NewGrant,
}

type Answer<'a, T> = BoxFuture<'a, Result<T, Failure>>;

/// What the platform of a kind of channel does for us.
pub trait Authoriser: Send + Sync {
    /// Makes the link for the merchant, or takes the merchant's word.
    fn begin<'a>(&'a self, db: &'a Db, flow: &'a Authorisation) -> Answer<'a, Beginning>;

    /// Turns a code into a grant; it can be done once.
    fn redeem<'a>(&'a self, db: &'a Db, flow: &'a Authorisation, code: &'a Secret) -> Answer<'a, Redeemed>;

    /// Asks what the account is called, and that it is of the right kind.
    fn describe<'a>(&'a self, db: &'a Db, flow: &'a Authorisation, grant: &'a Grant) -> Answer<'a, Grant>;

    /// Whether the grant still holds, inside the transaction that relies on it.
    fn holds<'a>(&'a self, tx: &'a mut Tx, grant: &'a Grant) -> BoxFuture<'a, Result<bool>>;
}

/// Who authorises channels of this kind.
///
/// # Errors
/// `wechat-not-set-up` where WeChat is needed and this host has no third-party platform.
pub fn authoriser<'a>(channels: &'a Channels, flow: &Authorisation) -> Result<Box<dyn Authoriser + 'a>> {
    Ok(match flow.kind {
        ChannelKind::WechatMiniProgram | ChannelKind::WechatOfficialAccount if flow.vouched.is_none() => {
            Box::new(WechatAuthoriser(wechat::required(channels.wechat.as_ref())?))
        }
        _ => Box::new(Vouching),
    })
}
