//! Endpoint applications: combinations of a merchant's product instances. Their id is the CID.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Channel, ProductInstance, membership, merchant, org,
    owned::{self, Owned},
};
use crate::{
    access::{Action, Caller, TokenScope},
    clock::Millis,
    error::{Code, Error, Result},
    event::kind,
    ids::{EndpointAppId, InstanceId, MerchantId, OrgNodeId},
    page::{Page, paged},
    store::{Db, Tx},
    text,
};

/// How many product instances one endpoint application may be created with.
const MOST_PRODUCTS: usize = 200;

/// A combination of a merchant's product instances.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct EndpointApp {
    /// The CID. Never changes and is never used again.
    pub id: EndpointAppId,
    /// The merchant that owns it.
    #[sqlx(rename = "merchant_id")]
    pub merchant: MerchantId,
    /// The name that people read.
    pub name: String,
    /// Whether it is the merchant's default one, which holds all active product instances (E2).
    #[serde(rename = "default")]
    pub is_default: bool,
    /// The account that created it; for the default one, the sender of the first purchase.
    pub created_by: String,
    /// When it was created.
    pub created_at: Millis,
    /// When its name last changed.
    pub updated_at: Millis,
}

/// How many items of each list an [`EndpointAppView`] has at most.
const SHOWN: usize = 200;

/// An endpoint application with its first 200 product instances, channels and organisation nodes. Their own lists have
/// all of them, page by page.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct EndpointAppView {
    /// The endpoint application.
    #[serde(flatten)]
    pub app: EndpointApp,
    /// The product instances that it holds: for a custom one the chosen ones, whatever their state (E3); for the
    /// default one all active ones of the merchant (E2).
    pub products: Vec<ProductInstance>,
    /// The channels that share its CID (E5).
    pub channels: Vec<Channel>,
    /// The organisation nodes that it is assigned to (E9).
    pub org_nodes: Vec<OrgNodeId>,
    /// Whether at least one of the three lists was cut off at 200 items.
    pub more: bool,
}

/// An endpoint application to create.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEndpointApp {
    /// The merchant that is to own it.
    pub merchant: MerchantId,
    /// The name that people read, 1 to 64 characters.
    pub name: String,
    /// The product instances that it holds: 1 to 200 of the merchant's that are not unsubscribed.
    pub products: Vec<InstanceId>,
}

/// What may be edited of an endpoint application. Absent members stay as they are.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditEndpointApp {
    /// The new name, 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Which endpoint applications to list (E7). The conditions are ANDed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EndpointAppQuery {
    /// Only those of this merchant (BosID).
    #[serde(default)]
    pub merchant: Option<MerchantId>,
    /// Only those that hold this product instance.
    #[serde(default)]
    pub product_instance: Option<InstanceId>,
    /// Only the one whose channel has this id on its platform: a WeChat appid, a MiniApp's id, the address of an H5
    /// page.
    #[serde(default)]
    pub channel_app_id: Option<String>,
    /// Only those that may be used at this organisation node (VID).
    #[serde(default)]
    pub org_node: Option<OrgNodeId>,
    /// Only the default ones when true, only the custom ones when false.
    #[serde(default)]
    pub default: Option<bool>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

paged!(EndpointAppQuery);

/// Makes an endpoint application with a fresh id, which is not stored yet.
pub(super) fn fresh(tx: &Tx, actor: &str, merchant: &MerchantId, name: String, is_default: bool) -> EndpointApp {
    let now = tx.now();
    EndpointApp {
        id: EndpointAppId::generate(now, tx.random()),
        merchant: merchant.clone(),
        name,
        is_default,
        created_by: actor.to_owned(),
        created_at: now,
        updated_at: now,
    }
}

/// Refuses the merchant's default endpoint application, whose product instances cannot be chosen.
///
/// # Errors
/// `endpoint-default` when it is the default one.
fn require_custom(endpoint: &EndpointApp) -> Result<()> {
    if !endpoint.is_default {
        return Ok(());
    }
    let text = "The default endpoint application holds all active product instances of its merchant, always. Create another one to choose.";
    Err(Error::new(Code::EndpointDefault, text))
}

impl Owned for EndpointApp {
    const WHAT: &'static str = "endpoint application";
    type Id = EndpointAppId;

    async fn load(tx: &mut Tx, id: &EndpointAppId) -> Result<Option<Self>> {
        tx.endpoint_app(id).await
    }

    fn merchant(&self) -> &MerchantId {
        &self.merchant
    }
}

/// Creates a custom endpoint application (E3). The caller must be able to operate what the merchant owns.
///
/// # Errors
/// As [`merchant::authorise`] and [`create_in`].
#[tracing::instrument(name = "endpoint_app.create", skip_all, fields(merchant = %new.merchant))]
pub async fn create(db: &Db, caller: &Caller, new: NewEndpointApp) -> Result<EndpointAppView> {
    let mut tx = db.begin().await?;
    let NewEndpointApp { merchant, name, products } = new;
    merchant::authorise_change(&mut tx, caller, &merchant, Action::Operate).await?;
    let endpoint = create_in(&mut tx, caller.account.as_str(), &merchant, &name, &products).await?;
    let view = tx.endpoint_app_view(endpoint).await?;
    tx.commit().await?;
    Ok(view)
}

/// Creates a custom endpoint application in a transaction that holds the merchant, and emits its events.
///
/// # Errors
/// `invalid-field` for the name or for too few or too many products, `not-found` for a product instance that is not the
/// merchant's, `product-unsubscribed`.
pub async fn create_in(
    tx: &mut Tx,
    actor: &str,
    merchant: &MerchantId,
    name: &str,
    products: &[InstanceId],
) -> Result<EndpointApp> {
    let products: BTreeSet<_> = products.iter().collect();
    if products.is_empty() || products.len() > MOST_PRODUCTS {
        let rule = format!("choose 1 to {MOST_PRODUCTS} product instances of the merchant.");
        return Err(Error::field("products", rule));
    }
    let endpoint = fresh(tx, actor, merchant, text::name("name", name, 64)?, false);
    tx.insert_endpoint_app(&endpoint).await?;
    tx.tell(kind::ENDPOINT_CREATED, &endpoint.id, actor, &endpoint).for_merchant(merchant);
    for id in products {
        membership::choose(tx, actor, &endpoint, id).await?;
    }
    Ok(endpoint)
}

/// Renames an endpoint application; the default one may be renamed too. Nothing is written when the name stays the
/// same.
#[tracing::instrument(name = "endpoint_app.edit", skip_all, fields(endpoint_app = %id))]
pub async fn edit(db: &Db, caller: &Caller, id: &EndpointAppId, edit: EditEndpointApp) -> Result<EndpointApp> {
    let mut tx = db.begin().await?;
    let (_, mut endpoint) = owned::hold::<EndpointApp>(&mut tx, caller, id).await?;
    let name = edit.name.map(|name| text::name("name", &name, 64)).transpose()?;
    let Some(name) = name.filter(|name| *name != endpoint.name) else { return Ok(endpoint) };
    endpoint.name = name;
    endpoint.updated_at = db.now();
    tx.rename_endpoint_app(&endpoint).await?;
    tx.tell(kind::ENDPOINT_EDITED, id, caller.account.as_str(), &endpoint).for_merchant(&endpoint.merchant);
    tx.commit().await?;
    Ok(endpoint)
}

/// Deletes a custom endpoint application to which no channel is bound.
///
/// # Errors
/// `endpoint-default` when it is the merchant's default one, `endpoint-in-use` while channels are bound to it.
#[tracing::instrument(name = "endpoint_app.delete", skip_all, fields(endpoint_app = %id))]
pub async fn delete(db: &Db, caller: &Caller, id: &EndpointAppId) -> Result<()> {
    let mut tx = db.begin().await?;
    let (_, endpoint) = owned::hold::<EndpointApp>(&mut tx, caller, id).await?;
    require_custom(&endpoint)?;
    let bound = tx.channels_of_endpoint(id, SHOWN as i64).await?;
    let channels: Vec<_> = bound.into_iter().map(|channel| channel.id).collect();
    if !channels.is_empty() {
        let text = format!("Channels are bound to {id}. Unbind them first, or bind them elsewhere.");
        return Err(Error::new(Code::EndpointInUse, text).with("channels", channels));
    }
    let actor = caller.account.as_str();
    org::unassign_everywhere(&mut tx, actor, &endpoint).await?;
    tx.delete_endpoint_app(id).await?;
    tx.tell(kind::ENDPOINT_DELETED, id, actor, &endpoint).for_merchant(&endpoint.merchant);
    tx.commit().await
}

/// Puts a product instance into a custom endpoint application. When it is there already nothing changes.
///
/// # Errors
/// `endpoint-default`, `not-found` for a product instance of another merchant, `product-unsubscribed`.
#[tracing::instrument(name = "endpoint_app.add_product", skip_all, fields(endpoint_app = %id, product_instance = %instance))]
pub async fn add_product(
    db: &Db,
    caller: &Caller,
    id: &EndpointAppId,
    instance: &InstanceId,
) -> Result<EndpointAppView> {
    let mut tx = db.begin().await?;
    let (_, endpoint) = owned::hold::<EndpointApp>(&mut tx, caller, id).await?;
    require_custom(&endpoint)?;
    membership::choose(&mut tx, caller.account.as_str(), &endpoint, instance).await?;
    let view = tx.endpoint_app_view(endpoint).await?;
    tx.commit().await?;
    Ok(view)
}

/// Takes a product instance out of a custom endpoint application.
///
/// # Errors
/// `endpoint-default`, `not-found` when it is not in it, `endpoint-empty` when it is the last one.
#[tracing::instrument(name = "endpoint_app.remove_product", skip_all, fields(endpoint_app = %id, product_instance = %instance))]
pub async fn remove_product(db: &Db, caller: &Caller, id: &EndpointAppId, instance: &InstanceId) -> Result<()> {
    let mut tx = db.begin().await?;
    let (_, endpoint) = owned::hold::<EndpointApp>(&mut tx, caller, id).await?;
    require_custom(&endpoint)?;
    membership::take_out(&mut tx, caller.account.as_str(), &endpoint, instance).await?;
    tx.commit().await
}

/// One endpoint application with its product instances, channels and organisation nodes.
pub async fn get(db: &Db, caller: &Caller, id: &EndpointAppId) -> Result<EndpointAppView> {
    let mut tx = db.read().await?;
    let endpoint = owned::authorise(&mut tx, caller, id, Action::Read).await?;
    tx.endpoint_app_view(endpoint).await
}

/// One page of the endpoint applications that the caller may know of and that the query asks for, ordered by id.
pub async fn list(db: &Db, caller: &Caller, query: &EndpointAppQuery) -> Result<Page<EndpointApp>> {
    caller.require_scope(TokenScope::Read)?;
    let mut tx = db.read().await?;
    if let Some(id) = &query.merchant {
        merchant::authorise(&mut tx, caller, id, Action::Read).await?;
    }
    let items = tx.endpoint_apps_known_to(caller, query).await?;
    Ok(Page::of(items, &query.page(), |endpoint| endpoint.id.to_string()))
}

impl Tx {
    /// An endpoint application with its product instances, channels and organisation nodes, 200 of each at most.
    pub async fn endpoint_app_view(&mut self, app: EndpointApp) -> Result<EndpointAppView> {
        let limit = SHOWN as i64 + 1;
        let mut products = self.products_of_endpoint(&app, limit).await?;
        let mut channels = self.channels_of_endpoint(&app.id, limit).await?;
        let mut org_nodes = self.assigned_org_nodes(&app.id, limit).await?;
        let more = products.len().max(channels.len()).max(org_nodes.len()) > SHOWN;
        products.truncate(SHOWN);
        channels.truncate(SHOWN);
        org_nodes.truncate(SHOWN);
        Ok(EndpointAppView { app, products, channels, org_nodes, more })
    }
}
