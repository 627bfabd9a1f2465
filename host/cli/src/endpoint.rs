//! `berth endpoint` and `berth product`: endpoint applications and product instances.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    call::Call,
    failure::Done,
    paint::{Paint, several, state},
    session::Session,
    table::{Card, Cell, Table},
};
use berth_base::ids::{EndpointAppId, InstanceId, MerchantId, OrgNodeId, ProductCode};
use berth_model::{
    endpoint::{
        Channel, EndpointApp, InstanceState, ProductInstance,
        app::{EditEndpointApp, EndpointAppView, NewEndpointApp},
    },
    runtime::Runtime,
};

/// The subcommands of `berth endpoint`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth endpoint create \"Members' club\" --merchant bos-coffee --product crm-1 --product guide-1
  berth endpoint list --merchant bos-coffee
  berth endpoint list --channel-app-id wx8888888888888888
  berth endpoint add cid_01… mall-1")]
pub enum Endpoint {
    /// Create an endpoint application of chosen product instances
    Create {
        /// Its name
        name: String,
        /// The merchant that owns it (BosID)
        #[arg(long, value_name = "BOS_ID")]
        merchant: MerchantId,
        /// A product instance that it holds; repeat for more
        #[arg(long = "product", required = true, value_name = "INSTANCE")]
        products: Vec<InstanceId>,
    },
    /// List endpoint applications
    List(Listed),
    /// Show an endpoint application: its product instances, channels and organisation nodes
    Show {
        /// The endpoint application (CID)
        cid: EndpointAppId,
    },
    /// Show what its MiniApps are told in a check: active products, organisation nodes, the digest
    Runtime {
        /// The endpoint application (CID)
        cid: EndpointAppId,
    },
    /// Change the name
    Edit {
        /// The endpoint application (CID)
        cid: EndpointAppId,
        /// The new name
        #[arg(long)]
        name: String,
    },
    /// Delete an endpoint application to which no channel is bound
    Delete {
        /// The endpoint application (CID)
        cid: EndpointAppId,
    },
    /// Put a product instance into it
    Add {
        /// The endpoint application (CID)
        cid: EndpointAppId,
        /// The product instance
        instance: InstanceId,
    },
    /// Take a product instance out of it
    Remove {
        /// The endpoint application (CID)
        cid: EndpointAppId,
        /// The product instance
        instance: InstanceId,
    },
}

/// Which endpoint applications to list.
#[derive(Args, Debug)]
pub struct Listed {
    /// Only those of this merchant (BosID)
    #[arg(long, value_name = "BOS_ID")]
    merchant: Option<MerchantId>,
    /// Only those that hold this product instance
    #[arg(long, value_name = "INSTANCE")]
    product_instance: Option<InstanceId>,
    /// Only the one whose channel has this id: a WeChat appid, a MiniApp's id
    #[arg(long, value_name = "ID")]
    channel_app_id: Option<String>,
    /// Only those that may be used at this organisation node (VID)
    #[arg(long, value_name = "VID")]
    org_node: Option<OrgNodeId>,
    /// Only the default ones (true) or only the others (false)
    #[arg(long)]
    default: Option<bool>,
}

/// Runs `berth endpoint`.
pub async fn run(command: Endpoint, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Endpoint::Create { merchant, name, products } => {
            let call = Call::create("/v1/endpoint-apps").json(&NewEndpointApp { merchant, name, products });
            session.out.show(&client.value(call).await?, view)
        }
        Endpoint::List(listed) => {
            let empty = listed.when_empty();
            session.out.list(
                client.items(listed.call()).await?,
                ["CID", "NAME", "MERCHANT", "KIND", "CREATED"],
                empty,
                row,
            )
        }
        Endpoint::Show { cid } => {
            session.out.show(&client.value(Call::get(format!("/v1/endpoint-apps/{cid}"))).await?, view)
        }
        Endpoint::Runtime { cid } => {
            let call = Call::get(format!("/v1/endpoint-apps/{cid}/runtime"));
            session.out.show(&client.value(call).await?, runtime)
        }
        Endpoint::Edit { cid, name } => {
            let call = Call::patch(format!("/v1/endpoint-apps/{cid}")).json(&EditEndpointApp { name: Some(name) });
            session.out.show(&client.value(call).await?, card)
        }
        Endpoint::Delete { cid } => {
            session.confirm(&format!("Delete the endpoint application {cid}?"))?;
            client.value(Call::delete(format!("/v1/endpoint-apps/{cid}"))).await?;
            session.out.done(&json!({"id": cid, "deleted": true}), format!("{cid} is deleted."))
        }
        Endpoint::Add { cid, instance } => {
            let call = Call::put(format!("/v1/endpoint-apps/{cid}/products/{instance}"));
            session.out.show(&client.value(call).await?, view)
        }
        Endpoint::Remove { cid, instance } => {
            session.confirm(&format!("Take {instance} out of {cid}?"))?;
            client.value(Call::delete(format!("/v1/endpoint-apps/{cid}/products/{instance}"))).await?;
            let document = json!({"id": cid, "product_instance": instance, "held": false});
            session.out.done(&document, format!("{cid} does not hold {instance} any more."))
        }
    }
}

impl Listed {
    /// What to say about an empty list. The first purchase is mentioned only when the merchant has no endpoint
    /// application at all.
    fn when_empty(&self) -> &'static str {
        match self {
            Self { product_instance: None, channel_app_id: None, org_node: None, default: None, .. } => {
                "No endpoint applications. A merchant's first purchase creates its default one."
            }
            _ => "No endpoint application fits that.",
        }
    }

    fn call(self) -> Call {
        Call::get("/v1/endpoint-apps")
            .query("merchant", self.merchant)
            .query("product_instance", self.product_instance)
            .query("channel_app_id", self.channel_app_id)
            .query("org_node", self.org_node)
            .query("default", self.default)
    }
}

fn kind(one: &EndpointApp) -> &'static str {
    if one.is_default { "default" } else { "custom" }
}

fn row(one: EndpointApp, paint: &Paint) -> [Cell; 5] {
    let created = paint.when(one.created_at);
    [Cell::strong(&one.id), Cell::of(&one.name), Cell::of(&one.merchant), kind(&one).into(), created]
}

fn card(one: EndpointApp, paint: &Paint) -> String {
    Card::default()
        .field("cid", Cell::strong(&one.id))
        .field("name", one.name.as_str())
        .field("merchant", Cell::of(&one.merchant))
        .field("kind", if one.is_default { "default: it holds all active product instances" } else { "custom" })
        .field("created", paint.when(one.created_at))
        .render(paint)
}

fn view(one: EndpointAppView, paint: &Paint) -> String {
    let cid = one.app.id.clone();
    let mut parts = vec![card(one.app, paint), products(one.products, paint)];
    if !one.channels.is_empty() {
        parts.push(channels(one.channels, paint));
    }
    if !one.org_nodes.is_empty() {
        parts.push(format!("Assigned to {}.", several(&one.org_nodes, "no node")));
    }
    if one.more {
        parts.push(format!("There is more: look with --endpoint-app {cid} in the lists."));
    }
    parts.join("\n\n")
}

fn runtime(one: Runtime, paint: &Paint) -> String {
    let Some(endpoint) = one.endpoint else { return "Its MiniApps are told nothing.".into() };
    let nodes = endpoint.org_nodes.as_deref().map_or_else(|| "everywhere".into(), |nodes| several(nodes, "none"));
    Card::default()
        .field("bos id", Cell::of(&endpoint.bos_id))
        .field("cid", Cell::strong(&endpoint.cid))
        .field("products", several(&endpoint.products, "none"))
        .field(
            "users",
            if endpoint.unify_users { "the merchant's, across its endpoint applications" } else { "its own" },
        )
        .field("org nodes", nodes)
        .field("digest", Cell::of(&endpoint.digest))
        .render(paint)
}

fn channels(channels: Vec<Channel>, paint: &Paint) -> String {
    let mut table = Table::new(["CHANNEL", "KIND", "APP ID", "NAME", "STATE"]);
    for one in channels {
        let (kind, app_id, name) = (Cell::of(one.kind), Cell::of(one.app_id), Cell::of(one.name));
        table.row([Cell::strong(one.id), kind, app_id, name, state(one.state.as_str())]);
    }
    table.render(paint)
}

fn products(products: Vec<ProductInstance>, paint: &Paint) -> String {
    if products.is_empty() {
        return "It holds no product instances.".into();
    }
    let mut table = Table::new(PRODUCT_HEAD);
    products.into_iter().for_each(|one| table.row(product_row(one, paint)));
    table.render(paint)
}

const PRODUCT_HEAD: [&str; 6] = ["PRODUCT INSTANCE", "PRODUCT", "NAME", "MERCHANT", "STATE", "EXPIRES"];

fn product_row(one: ProductInstance, paint: &Paint) -> [Cell; 6] {
    let (state, expires) = (state(one.state.as_str()), paint.when_any(one.expires_at));
    [Cell::strong(one.id), Cell::of(one.product), Cell::of(one.name), Cell::of(one.merchant), state, expires]
}

/// The subcommands of `berth product`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth product list --merchant bos-coffee --state active
  berth product show mall-1")]
pub enum Product {
    /// List the product instances of merchants
    List {
        /// Only those of this merchant (BosID)
        #[arg(long, value_name = "BOS_ID")]
        merchant: Option<MerchantId>,
        /// Only those of this product: mall, crm
        #[arg(long)]
        product: Option<ProductCode>,
        /// active, expired or unsubscribed
        #[arg(long)]
        state: Option<InstanceState>,
        /// Only those that this endpoint application holds
        #[arg(long, value_name = "CID")]
        endpoint_app: Option<EndpointAppId>,
        /// Only those that are open on this organisation node
        #[arg(long, value_name = "VID")]
        org_node: Option<OrgNodeId>,
    },
    /// Show a product instance
    Show {
        /// The product instance
        instance: InstanceId,
    },
}

/// Runs `berth product`.
pub async fn product(command: Product, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Product::List { merchant, product, state, endpoint_app, org_node } => {
            let call = Call::get("/v1/product-instances")
                .query("merchant", merchant)
                .query("product", product)
                .query("state", state)
                .query("endpoint_app", endpoint_app)
                .query("org_node", org_node);
            let empty = "No product instances. Fulfilment messages make them: berth fulfil FILE.";
            session.out.list(client.items(call).await?, PRODUCT_HEAD, empty, product_row)
        }
        Product::Show { instance } => {
            let answer = client.value(Call::get(format!("/v1/product-instances/{instance}"))).await?;
            session.out.show(&answer, product_card)
        }
    }
}

fn product_card(one: ProductInstance, paint: &Paint) -> String {
    Card::default()
        .field("id", Cell::strong(one.id))
        .field("product", Cell::of(one.product))
        .field("name", one.name)
        .field("merchant", Cell::of(one.merchant))
        .field("state", state(one.state.as_str()))
        .maybe("expires", one.expires_at.map(|at| paint.when(at)))
        .field("as of", paint.when(one.said_at))
        .field("by message", Cell::of(one.said_by))
        .render(paint)
}
