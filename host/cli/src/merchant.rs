//! `berth merchant`: merchants.

use clap::Subcommand;

use super::{
    access::confirm_name,
    app::OnOff,
    call::Call,
    failure::Done,
    paint::Paint,
    session::Session,
    table::{Card, Cell},
};
use berth_base::ids::MerchantId;
use berth_model::endpoint::{
    Merchant as View,
    merchant::{EditMerchant, NewMerchant},
};

/// The subcommands of `berth merchant`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth merchant create \"Coffee chain\" --id bos-coffee
  berth merchant edit bos-coffee --unify-users on")]
pub enum Merchant {
    /// Create a merchant (platform admins); fulfilment messages that waited for it are applied
    Create {
        /// Its name
        name: String,
        /// The BosID that the order system knows it by, for ever: 3 to 63 of a-z, 0-9 and '-'; generated when absent
        #[arg(long)]
        id: Option<MerchantId>,
        /// Unify user data across its endpoint applications; inside one it always is
        #[arg(long)]
        unify_users: bool,
    },
    /// List the merchants that you may know of
    List,
    /// Show a merchant
    Show {
        /// The merchant (BosID)
        merchant: MerchantId,
    },
    /// Change the name, or whether user data is unified across endpoint applications
    Edit {
        /// The merchant (BosID)
        merchant: MerchantId,
        /// The new name
        #[arg(long, required_unless_present = "unify_users")]
        name: Option<String>,
        /// Whether user data is unified across its endpoint applications
        #[arg(long)]
        unify_users: Option<OnOff>,
    },
}

pub async fn run(command: Merchant, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Merchant::Create { name, id, unify_users } => {
            confirm_name(&client, session, "merchant", "/v1/merchants", &name).await?;
            let call = Call::create("/v1/merchants").json(&NewMerchant { name, id, unify_users });
            session.out.show(&client.value(call).await?, view)
        }
        Merchant::List => {
            let items = client.items(Call::get("/v1/merchants")).await?;
            let empty = "No merchants. Create one with `berth merchant create NAME`.";
            session.out.list(items, ["ID", "NAME", "USERS", "CREATED"], empty, |one: View, paint| {
                [Cell::strong(&one.id), Cell::of(&one.name), users(&one).into(), paint.when(one.created_at)]
            })
        }
        Merchant::Show { merchant } => {
            session.out.show(&client.value(Call::get(format!("/v1/merchants/{merchant}"))).await?, view)
        }
        Merchant::Edit { merchant, name, unify_users } => {
            let edit = EditMerchant { name, unify_users: unify_users.map(|state| state == OnOff::On) };
            let call = Call::patch(format!("/v1/merchants/{merchant}")).json(&edit);
            session.out.show(&client.value(call).await?, view)
        }
    }
}

fn users(one: &View) -> &'static str {
    if one.unify_users {
        "unified across its endpoint applications"
    } else {
        "unified within each endpoint application"
    }
}

fn view(one: View, paint: &Paint) -> String {
    Card::default()
        .field("id", Cell::strong(&one.id))
        .field("name", one.name.as_str())
        .field("users", users(&one))
        .field("created", paint.when(one.created_at))
        .render(paint)
}
