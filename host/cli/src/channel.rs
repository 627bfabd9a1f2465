//! `berth channel`: channels of merchants.

use clap::Subcommand;
use serde_json::json;

use super::{
    call::Call,
    channel_authorise::{Authorisations, Authorise},
    failure::Done,
    paint::{Paint, state},
    session::Session,
    table::{Card, Cell},
};
use crate::channel_authorise;
use berth_base::ids::{AuthorisationId, ChannelId, EndpointAppId, MerchantId};
use berth_model::endpoint::{
    Channel as View,
    channel::{BindChannel, ChannelKind, EditChannel, NewChannel},
};

/// The subcommands of `berth channel`.
#[derive(Subcommand, Debug)]
#[command(after_help = "\
Kinds: wechat_mini_program, wechat_official_account, h5, douyin, alipay, wecom, mini_app (one of this host's MiniApps)

Examples:
  berth channel create \"Coffee\" --merchant bos-1 --kind mini_app --app-id coffee --bind cid_01…
  berth channel list --endpoint-app cid_01…
  berth channel bind chn_01… cid_01… --move")]
pub enum Channel {
    /// Record a channel that the merchant vouches for by hand
    Create {
        /// Its name
        name: String,
        /// The merchant that owns it (BosID)
        #[arg(long, value_name = "BOS_ID")]
        merchant: MerchantId,
        /// The kind of the channel
        #[arg(long)]
        kind: ChannelKind,
        /// Its id on its platform: a WeChat appid, a MiniApp's id, the https address of an H5 page
        #[arg(long, value_name = "ID")]
        app_id: String,
        /// Bind it to this endpoint application at once
        #[arg(long, value_name = "CID")]
        bind: Option<EndpointAppId>,
    },
    /// Authorise a channel on its platform, and bind it
    Authorise(Box<Authorise>),
    /// List runs of authorising channels
    Authorisations(Authorisations),
    /// Give up a run of authorising a channel that goes on or failed
    Abandon {
        /// The run
        run: AuthorisationId,
    },
    /// List channels
    List {
        /// Only those of this merchant
        #[arg(long, value_name = "BOS_ID")]
        merchant: Option<MerchantId>,
        /// Only those bound to this endpoint application
        #[arg(long, value_name = "CID")]
        endpoint_app: Option<EndpointAppId>,
        /// Only those of this kind
        #[arg(long)]
        kind: Option<ChannelKind>,
        /// Only those with this id on their platform
        #[arg(long, value_name = "ID")]
        app_id: Option<String>,
    },
    /// Show a channel
    Show {
        /// The channel
        channel: ChannelId,
    },
    /// Rename a channel
    Rename {
        /// The channel
        channel: ChannelId,
        /// Its new name
        name: String,
    },
    /// Bind a channel to an endpoint application
    Bind {
        /// The channel
        channel: ChannelId,
        /// The endpoint application
        endpoint_app: EndpointAppId,
        /// Unbind it from the endpoint application that it is bound to now
        #[arg(long = "move")]
        take: bool,
    },
    /// Unbind a channel from its endpoint application
    Unbind {
        /// The channel
        channel: ChannelId,
    },
    /// Delete a channel, so that any merchant may authorise it; it must be bound to nothing
    Delete {
        /// The channel
        channel: ChannelId,
    },
}

pub async fn run(command: Channel, session: &mut Session) -> Done {
    let command = match command {
        Channel::Authorise(args) => return channel_authorise::run(*args, session).await,
        Channel::Authorisations(args) => return channel_authorise::list(args, session).await,
        Channel::Abandon { run } => return channel_authorise::abandon(&run, session).await,
        command => command,
    };
    let client = session.client()?;
    let bind = |channel: &dyn ToString, endpoint_app, take| {
        let path = format!("/v1/channels/{}/endpoint-app", channel.to_string());
        Call::put(path).json(&BindChannel { endpoint_app, take })
    };
    let call = match command {
        Channel::Authorise(_) | Channel::Authorisations(_) | Channel::Abandon { .. } => return Ok(()),
        Channel::List { merchant, endpoint_app, kind, app_id } => {
            let call = Call::get("/v1/channels").query("merchant", merchant).query("endpoint_app", endpoint_app);
            let items = client.items(call.query("kind", kind).query("app_id", app_id)).await?;
            let head = ["ID", "KIND", "APP ID", "NAME", "STATE", "ENDPOINT APP"];
            return session.out.list(items, head, "No channels. Add one with `berth channel create`.", row);
        }
        Channel::Delete { channel } => {
            session.confirm(&format!("Give up the channel {channel}, so that any merchant may authorise it?"))?;
            client.value(Call::delete(format!("/v1/channels/{channel}"))).await?;
            return session.out.done(&json!({"channel": channel, "deleted": true}), format!("{channel} is given up."));
        }
        Channel::Create { name, merchant, kind, app_id, bind: cid } => {
            let create = Call::create("/v1/channels").json(&NewChannel { merchant, kind, app_id, name });
            let Some(cid) = cid else { return session.out.show(&client.value(create).await?, view) };
            let created: View = super::answer::read(&client.value(create).await?)?;
            bind(&created.id, cid, false)
        }
        Channel::Show { channel } => Call::get(format!("/v1/channels/{channel}")),
        Channel::Rename { channel, name } => Call::patch(format!("/v1/channels/{channel}")).json(&EditChannel { name }),
        Channel::Bind { channel, endpoint_app, take } => bind(&channel, endpoint_app, take),
        Channel::Unbind { channel } => {
            session.confirm(&format!("Unbind the channel {channel} from its endpoint application?"))?;
            Call::delete(format!("/v1/channels/{channel}/endpoint-app"))
        }
    };
    session.out.show(&client.value(call).await?, view)
}

fn row(channel: View, _: &Paint) -> [Cell; 6] {
    [
        Cell::strong(&channel.id),
        Cell::of(channel.kind),
        Cell::of(&channel.app_id),
        Cell::of(&channel.name),
        state(channel.state.as_str()),
        Cell::any(channel.endpoint_app),
    ]
}

fn view(channel: View, paint: &Paint) -> String {
    Card::default()
        .field("id", Cell::strong(&channel.id))
        .field("merchant", Cell::of(&channel.merchant))
        .field("kind", Cell::of(channel.kind))
        .field("app id", channel.app_id.as_str())
        .field("name", channel.name.as_str())
        .field("state", state(channel.state.as_str()))
        .field("endpoint app", Cell::any(channel.endpoint_app.as_ref()))
        .field("authorised", paint.when(channel.authorised_at))
        .maybe("bound", channel.bound_at.map(|at| paint.when(at)))
        .render(paint)
}
