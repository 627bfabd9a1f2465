//! How the platform of a channel authorises this host: WeChat by its third-party platform, all others by the merchant
//! vouching for the channel.

use futures_util::future::BoxFuture;

use berth_model::endpoint::authorisation::Grant;
use berth_store::endpoint::authorisation::Authorisation;

use super::{vouched::Vouching, wechat::WechatAuthoriser};
use crate::endpoint::authorisation::wechat;
use berth_base::{
    error::{Code, Error, Kind, Result},
    secret::Secret,
};
use berth_model::endpoint::channel::ChannelKind;
use berth_store::{Db, Tx, wechat::NewGrant};

use crate::{
    endpoint::authorisation::Channels,
    wechat::{Refusal, accounts::Failure},
};

/// Why a step of an authorisation did not succeed, and whether it is tried again.
#[derive(Debug)]
pub enum Trouble {
    /// The step may succeed later and is tried again.
    Later {
        /// Seconds until the next try.
        after: i64,
        /// The cause, in words.
        why: String,
    },
    /// The step can never succeed; the authorisation fails.
    Final {
        /// A stable reason: the slug of a `Code`, `code-invalid` or `wechat-refused`.
        reason: &'static str,
        /// The cause, in words.
        detail: String,
    },
}

impl Trouble {
    /// What WeChat's refusal or this host's failure means for a step that was tried `attempts` times before. The pause
    /// before the next try doubles with each attempt, up to 64 times the first one.
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
            Refusal::CodeInvalid(_) | Refusal::CodeLost => Self::failed("code-invalid", format!("{why} Start again.")),
            Refusal::NotGranted(_) => Self::failed(
                "wechat-refused",
                format!("{why} The merchant has to authorise again and to leave no permission out."),
            ),
            Refusal::Revoked(_) => Self::failed(Code::AuthorisationRevoked.slug(), why),
            Refusal::Other { .. } => Self::failed("wechat-refused", why),
        }
    }

    /// What an error of this host means for a step. One of a kind that stays the same on every try (malformed, invalid,
    /// conflict, not found, forbidden, gone) is final; any other one is logged and tried again.
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

/// What an authorisation begins with.
pub enum Beginning {
    /// The merchant has to authorise this host at a link.
    Link(Link),
    /// The merchant vouches for the channel, and nothing more is needed.
    Vouched(Grant),
}

/// The page at which the merchant authorises this host.
pub struct Link {
    /// An unguessable value that comes back with the merchant and names the authorisation.
    pub state: Secret,
    /// The address of the page on the platform.
    pub page: String,
    /// The platform's pre-authorisation code, by which its pushes name this link.
    pub pre_auth: Secret,
    /// Seconds for which the link is valid.
    pub good_for: i64,
}

/// What the platform gave for an authorisation code.
pub struct Redeemed {
    /// What the merchant granted.
    pub grant: Grant,
    /// The account's sealed tokens, to be stored in the same transaction as the grant.
    pub keep: NewGrant,
}

type Answer<'a, T> = BoxFuture<'a, Result<T, Failure>>;

/// The calls to the platform of one kind of channel that an authorisation needs.
pub trait Authoriser: Send + Sync {
    /// Makes the link for the merchant, or takes the merchant's word for the channel.
    fn begin<'a>(&'a self, db: &'a Db, flow: &'a Authorisation) -> Answer<'a, Beginning>;

    /// Exchanges a code for a grant. The platform allows this once for each code.
    fn redeem<'a>(&'a self, db: &'a Db, flow: &'a Authorisation, code: &'a Secret) -> Answer<'a, Redeemed>;

    /// Asks for the account's name, and refuses an account of another kind than that of the authorisation.
    fn describe<'a>(&'a self, db: &'a Db, flow: &'a Authorisation, grant: &'a Grant) -> Answer<'a, Grant>;

    /// Whether the grant still holds, read inside the transaction that relies on it.
    fn holds<'a>(&'a self, tx: &'a mut Tx, grant: &'a Grant) -> BoxFuture<'a, Result<bool>>;
}

/// The authoriser for the channel of this authorisation.
///
/// # Errors
/// `wechat-not-set-up` where WeChat is needed and this host has no third-party platform.
pub(crate) fn authoriser<'a>(channels: &'a Channels, flow: &Authorisation) -> Result<Box<dyn Authoriser + 'a>> {
    Ok(match flow.kind {
        ChannelKind::WechatMiniProgram | ChannelKind::WechatOfficialAccount if flow.vouched.is_none() => {
            Box::new(WechatAuthoriser(wechat::required(channels.wechat.as_ref())?))
        }
        _ => Box::new(Vouching),
    })
}
