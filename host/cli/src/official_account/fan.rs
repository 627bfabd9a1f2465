//! `berth fan`: which member of a merchant is bound at which official account.

use clap::Subcommand;
use serde_json::json;

use crate::{call::Call, failure::Done, session::Session};
use berth_base::{
    ids::{MerchantId, ShopMemberId, WechatAppId},
    secret::Secret,
};
use berth_model::official_account::{EditFan, Fan as View, Visitor};

use super::views::{fan_row, fan_view, visitor_view};

/// The subcommands of `berth fan`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth fan visitor bos-1 berth_visit_…
  berth fan bind bos-1 m1 wx0123456789abcdef --code berth_visit_…
  berth fan list bos-1 --member m1
  berth fan prefer bos-1 m1 wx0123456789abcdef")]
pub enum Fan {
    /// Exchange the code of a visit for the account, the OpenID and the member, as the merchant's server does
    Visitor {
        /// The merchant (BosID)
        merchant: MerchantId,
        /// The code with which the visitor came to the page
        code: Secret,
    },
    /// List the members of a merchant that are bound at official accounts
    List {
        /// The merchant (BosID)
        merchant: MerchantId,
        /// Only this member
        #[arg(long, value_name = "MEMBER_ID")]
        member: Option<ShopMemberId>,
        /// Only at this official account
        #[arg(long, value_name = "APP_ID")]
        account: Option<WechatAppId>,
    },
    /// Show the binding of a member at an official account
    Show(Place),
    /// Bind a member to an OpenID at an official account
    Bind {
        #[command(flatten)]
        place: Place,
        /// The code of a visit, which is used up
        #[arg(long, required_unless_present = "open_id", conflicts_with = "open_id")]
        code: Option<Secret>,
        /// The OpenID
        #[arg(long)]
        open_id: Option<Secret>,
    },
    /// Send messages to a member by this official account first
    Prefer {
        #[command(flatten)]
        place: Place,
        /// Prefer it no more
        #[arg(long)]
        off: bool,
    },
    /// End the binding of a member at an official account; what was known of the OpenID is deleted
    Unbind(Place),
}

/// Where a member is bound.
#[derive(clap::Args, Debug)]
pub struct Place {
    /// The merchant (BosID)
    merchant: MerchantId,
    /// The member
    member: ShopMemberId,
    /// The official account
    app_id: WechatAppId,
}

impl Place {
    fn path(&self) -> String {
        format!("/v1/merchants/{}/fans/{}/{}", self.merchant, crate::call::escape(&self.member), self.app_id)
    }
}

pub async fn run(command: Fan, session: &mut Session) -> Done {
    let client = session.client()?;
    let call = match command {
        Fan::Visitor { merchant, code } => {
            let call = Call::post(format!("/v1/merchants/{merchant}/visitors")).json(&json!({"code": code.expose()}));
            return session.out.show::<Visitor>(&client.value(call).await?, visitor_view);
        }
        Fan::List { merchant, member, account } => {
            let call = Call::get(format!("/v1/merchants/{merchant}/fans")).query("member_id", member);
            let items = client.items(call.query("app_id", account)).await?;
            let empty = "No members are bound. They are, once they have opened an entry link: `berth fan bind`.";
            return session.out.list(items, ["MEMBER", "ACCOUNT", "OPENID", "PREFERRED", "BOUND"], empty, fan_row);
        }
        Fan::Unbind(place) => {
            session.confirm(&format!("Unbind {} at {}?", place.member, place.app_id))?;
            client.value(Call::delete(place.path())).await?;
            let document =
                json!({"merchant": place.merchant, "member_id": place.member, "app_id": place.app_id, "unbound": true});
            return session.out.done(&document, format!("{} is not bound at {} any more.", place.member, place.app_id));
        }
        Fan::Show(place) => Call::get(place.path()),
        Fan::Bind { place, code, open_id } => {
            let (code, open_id) = (code.as_ref().map(Secret::expose), open_id.as_ref().map(Secret::expose));
            Call::put(place.path()).json(&json!({"code": code, "open_id": open_id}))
        }
        Fan::Prefer { place, off } => Call::patch(place.path()).json(&EditFan { preferred: !off }),
    };
    session.out.show::<View>(&client.value(call).await?, fan_view)
}
