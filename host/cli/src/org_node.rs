//! `berth org-node`: organisation nodes of merchants.

use clap::Subcommand;
use serde_json::json;

use super::{
    call::Call,
    client::Client,
    failure::Done,
    paint::{Ink, Paint, several},
    session::Session,
    table::{Card, Cell},
};
use berth_base::ids::{EndpointAppId, InstanceId, MerchantId, OrgNodeId};
use berth_model::endpoint::{
    OrgNode as Node,
    org::{EditOrgNode, NewOrgNode, OrgNodeDetail, Reach},
};

/// The subcommands of `berth org-node`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth org-node create \"Shanghai\" --merchant bos-1 --id vid-shanghai --parent vid-china
  berth org-node open vid-shanghai pi-mall
  berth org-node assign vid-shanghai cid_01…
  berth org-node edit vid-shanghai --limited true")]
pub enum OrgNode {
    /// Create an organisation node
    Create {
        /// Its name
        name: String,
        /// The merchant that owns it (BosID)
        #[arg(long, value_name = "BOS_ID")]
        merchant: MerchantId,
        /// Its id (VID), for ever: 3 to 63 of a-z, 0-9 and '-'; generated when absent
        #[arg(long, value_name = "VID")]
        id: Option<OrgNodeId>,
        /// The node above it; a root when absent
        #[arg(long, value_name = "VID")]
        parent: Option<OrgNodeId>,
        /// Allow only the endpoint applications that are assigned to it
        #[arg(long)]
        limited: bool,
    },
    /// List organisation nodes
    List {
        /// Only those of this merchant
        #[arg(long, value_name = "BOS_ID")]
        merchant: Option<MerchantId>,
        /// Only those directly below this one
        #[arg(long, value_name = "VID")]
        parent: Option<OrgNodeId>,
        /// Only those that this endpoint application is assigned to
        #[arg(long, value_name = "CID")]
        endpoint_app: Option<EndpointAppId>,
        /// Only those on which this product instance is open
        #[arg(long, value_name = "ID")]
        product_instance: Option<InstanceId>,
    },
    /// Show a node, what is open on it, and what is assigned to it
    Show {
        /// The organisation node (VID)
        node: OrgNodeId,
    },
    /// Rename, move or limit a node
    #[command(group(clap::ArgGroup::new("change").required(true).multiple(true)))]
    Edit {
        /// The organisation node (VID)
        node: OrgNodeId,
        /// The new name
        #[arg(long, group = "change")]
        name: Option<String>,
        /// The node to move it below, with all nodes below it
        #[arg(long, group = "change", value_name = "VID", conflicts_with = "root")]
        parent: Option<OrgNodeId>,
        /// Make it a root
        #[arg(long, group = "change")]
        root: bool,
        /// Whether only the endpoint applications that are assigned to it may be used at it
        #[arg(long, group = "change", value_name = "BOOL")]
        limited: Option<bool>,
    },
    /// Delete a node that has none below it
    Delete {
        /// The organisation node (VID)
        node: OrgNodeId,
    },
    /// Open a product instance on a node
    Open {
        /// The node
        node: OrgNodeId,
        /// The product instance
        instance: InstanceId,
    },
    /// Close a product instance on a node
    Close {
        /// The node
        node: OrgNodeId,
        /// The product instance
        instance: InstanceId,
    },
    /// Assign an endpoint application to a node
    Assign {
        /// The node
        node: OrgNodeId,
        /// The endpoint application
        endpoint_app: EndpointAppId,
    },
    /// End an assignment
    Unassign {
        /// The node
        node: OrgNodeId,
        /// The endpoint application
        endpoint_app: EndpointAppId,
    },
    /// Show the nodes at which an endpoint application may be used
    Reach {
        /// The endpoint application
        endpoint_app: EndpointAppId,
    },
}

pub async fn run(command: OrgNode, session: &mut Session) -> Done {
    let client = session.client()?;
    let made = |node: Node, paint: &Paint| card(&node, paint);
    match command {
        OrgNode::Create { name, merchant, id, parent, limited } => {
            let new = NewOrgNode { merchant, name, id, parent, limited };
            session.out.show(&client.value(Call::create("/v1/org-nodes").json(&new)).await?, made)
        }
        OrgNode::List { merchant, parent, endpoint_app, product_instance } => {
            let call = Call::get("/v1/org-nodes").query("merchant", merchant).query("parent", parent);
            let call = call.query("endpoint_app", endpoint_app).query("product_instance", product_instance);
            let items = client.items(call).await?;
            let head = ["ID", "NAME", "PARENT", "LIMITED", "CREATED"];
            session.out.list(items, head, "No organisation nodes.", row)
        }
        OrgNode::Show { node } => session.out.show(&client.value(Call::get(at(&node))).await?, detail),
        OrgNode::Edit { node, name, parent, root, limited } => {
            let parent = if root { Some(None) } else { parent.map(Some) };
            let call = Call::patch(at(&node)).json(&EditOrgNode { name, parent, limited });
            session.out.show(&client.value(call).await?, made)
        }
        OrgNode::Delete { node } => {
            session.confirm(&format!("Delete the organisation node {node}?"))?;
            client.value(Call::delete(at(&node))).await?;
            session.out.done(&json!({"org_node": node, "deleted": true}), format!("{node} is deleted."))
        }
        OrgNode::Open { node, instance } => {
            session.out.show(&client.value(Call::put(format!("{}/products/{instance}", at(&node)))).await?, detail)
        }
        OrgNode::Close { node, instance } => close(&client, session, &node, &instance).await,
        OrgNode::Assign { node, endpoint_app } => {
            client.value(Call::put(format!("{}/{node}", assigned(&endpoint_app)))).await?;
            let document = json!({"org_node": node, "endpoint_app": endpoint_app, "assigned": true});
            session.out.done(&document, format!("{endpoint_app} is assigned to {node}."))
        }
        OrgNode::Unassign { node, endpoint_app } => unassign(&client, session, &node, &endpoint_app).await,
        OrgNode::Reach { endpoint_app } => {
            session.out.show(&client.value(Call::get(assigned(&endpoint_app))).await?, reach)
        }
    }
}

fn at(node: &OrgNodeId) -> String {
    format!("/v1/org-nodes/{node}")
}

fn assigned(endpoint_app: &EndpointAppId) -> String {
    format!("/v1/endpoint-apps/{endpoint_app}/org-nodes")
}

async fn close(client: &Client, session: &mut Session, node: &OrgNodeId, instance: &InstanceId) -> Done {
    session.confirm(&format!("Close {instance} on {node}?"))?;
    client.value(Call::delete(format!("{}/products/{instance}", at(node)))).await?;
    let document = json!({"org_node": node, "product_instance": instance, "open": false});
    session.out.done(&document, format!("{instance} is closed on {node}."))
}

async fn unassign(client: &Client, session: &mut Session, node: &OrgNodeId, endpoint_app: &EndpointAppId) -> Done {
    session.confirm(&format!("End the assignment of {endpoint_app} to {node}?"))?;
    client.value(Call::delete(format!("{}/{node}", assigned(endpoint_app)))).await?;
    let document = json!({"org_node": node, "endpoint_app": endpoint_app, "assigned": false});
    session.out.done(&document, format!("{endpoint_app} is no longer assigned to {node}."))
}

fn limited(node: &Node) -> Cell {
    if node.limited { Cell::new(Ink::Warn, "yes") } else { "no".into() }
}

fn row(node: Node, paint: &Paint) -> [Cell; 5] {
    let parent = Cell::any(node.parent.as_ref());
    [Cell::strong(&node.id), Cell::of(&node.name), parent, limited(&node), paint.when(node.created_at)]
}

fn card(node: &Node, paint: &Paint) -> String {
    fields(node, paint).render(paint)
}

fn fields(node: &Node, paint: &Paint) -> Card {
    Card::default()
        .field("id", Cell::strong(&node.id))
        .field("merchant", Cell::of(&node.merchant))
        .field("name", node.name.as_str())
        .field("parent", Cell::any(node.parent.as_ref()))
        .field("limited", limited(node))
        .field("created", paint.when(node.created_at))
}

fn detail(detail: OrgNodeDetail, paint: &Paint) -> String {
    fields(&detail.node, paint)
        .field("open", several(&detail.products, "nothing"))
        .field("assigned", several(&detail.endpoint_apps, "none"))
        .render(paint)
}

fn reach(reach: Reach, paint: &Paint) -> String {
    let everywhere = || "everywhere: the merchant has no organisation nodes".to_owned();
    let usable = reach.org_nodes.map_or_else(everywhere, |nodes| several(&nodes, "nowhere"));
    Card::default()
        .field("usable at", usable)
        .field("assigned to", several(&reach.assigned, "no node, so to all that are not limited"))
        .render(paint)
}
