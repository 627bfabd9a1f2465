//! Endpoint applications: combinations of a merchant's product instances. Their id is the CID.

pub use berth_model::endpoint::app::*;

use std::collections::BTreeSet;

use berth_base::{
    error::{Code, Error, Result},
    ids::{EndpointAppId, InstanceId, MerchantId},
    page::Page,
    text,
};
use berth_model::{
    access::{Action, Caller, TokenScope},
    event::kind,
};
use berth_store::{Db, Tx};

use super::owned::Owned;
use crate::endpoint::{channel::spelled_app_id, instance, membership, merchant, org, owned};

/// How many product instances one endpoint application may be created with.
const MOST_PRODUCTS: usize = 200;

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
    instance::refuse_foreign(&mut tx, caller, &merchant, products.iter().take(MOST_PRODUCTS)).await?;
    let endpoint = create_in(&mut tx, caller.account.as_str(), &merchant, &name, &products).await?;
    let view = tx.endpoint_app_view(endpoint).await?;
    tx.commit().await?;
    Ok(view)
}

/// Creates a custom endpoint application in a transaction that holds the merchant, and emits its events.
///
/// # Errors
/// `invalid-field` for the name or for too few or too many products, `name-taken`, `not-found` for a product instance that
/// is not the merchant's, `product-unsubscribed`.
pub(crate) async fn create_in(
    tx: &mut Tx,
    actor: &str,
    merchant: &MerchantId,
    name: &str,
    products: &[InstanceId],
) -> Result<EndpointApp> {
    let products: BTreeSet<_> = products.iter().collect();
    require_some(products.len())?;
    let name = text::name("name", name, 64)?;
    refuse_same_name(tx, merchant, &name, None).await?;
    let endpoint = fresh(tx, actor, merchant, name, false);
    tx.insert_endpoint_app(&endpoint).await?;
    tx.tell(kind::ENDPOINT_CREATED, &endpoint.id, actor, &endpoint).for_merchant(merchant);
    for id in products {
        membership::choose(tx, actor, &endpoint, id).await?;
    }
    Ok(endpoint)
}

/// Refuses too few product instances, and too many.
///
/// # Errors
/// `invalid-field`.
pub(super) fn require_some(products: usize) -> Result<()> {
    if (1..=MOST_PRODUCTS).contains(&products) {
        return Ok(());
    }
    Err(Error::field("products", format!("choose 1 to {MOST_PRODUCTS} product instances of the merchant.")))
}

/// Refuses a name that another custom endpoint application of the merchant has, case and blanks aside, so that people and
/// scripts mean one by it. The transaction holds the merchant.
///
/// # Errors
/// `name-taken`.
pub(super) async fn refuse_same_name(
    tx: &mut Tx,
    merchant: &MerchantId,
    name: &str,
    but: Option<&EndpointAppId>,
) -> Result<()> {
    let all = tx.custom_endpoints(merchant).await?;
    let same = all.into_iter().find(|(id, taken)| Some(id) != but && text::is_same_name(taken, name));
    let Some((id, taken)) = same else { return Ok(()) };
    let detail = format!("{merchant} has an endpoint application with the name {taken} already. It is {id}.");
    Err(Error::new(Code::NameTaken, detail).with("field", "name").with("endpoint_app", id))
}

/// Renames an endpoint application; the default one may be renamed too. Nothing is written when the name stays the
/// same.
///
/// # Errors
/// `invalid-field`; `name-taken`, but for the default one, which is told by what it is.
#[tracing::instrument(name = "endpoint_app.edit", skip_all, fields(endpoint_app = %id))]
pub async fn edit(db: &Db, caller: &Caller, id: &EndpointAppId, edit: EditEndpointApp) -> Result<EndpointApp> {
    let mut tx = db.begin().await?;
    let (_, mut endpoint) = owned::hold::<EndpointApp>(&mut tx, caller, id).await?;
    let name = edit.name.map(|name| text::name("name", &name, 64)).transpose()?;
    let Some(name) = name.filter(|name| *name != endpoint.name) else { return Ok(endpoint) };
    if !endpoint.is_default {
        refuse_same_name(&mut tx, &endpoint.merchant, &name, Some(id)).await?;
    }
    let before = endpoint.clone();
    endpoint.name = name;
    endpoint.updated_at = tx.now();
    tx.rename_endpoint_app(&endpoint).await?;
    let event = tx.tell(kind::ENDPOINT_EDITED, id, caller.account.as_str(), &endpoint);
    event.for_merchant(&endpoint.merchant).was(Some(&before));
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
#[tracing::instrument(name = "endpoint_app.add_product", skip_all, fields(endpoint_app = %id, product_instance = %product))]
pub async fn add_product(
    db: &Db,
    caller: &Caller,
    id: &EndpointAppId,
    product: &InstanceId,
) -> Result<EndpointAppView> {
    let mut tx = db.begin().await?;
    let (_, endpoint) = owned::hold::<EndpointApp>(&mut tx, caller, id).await?;
    require_custom(&endpoint)?;
    instance::refuse_foreign(&mut tx, caller, &endpoint.merchant, [product]).await?;
    membership::choose(&mut tx, caller.account.as_str(), &endpoint, product).await?;
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
    let channel_app_id = query.channel_app_id.as_deref().map(spelled_app_id);
    let spelled = EndpointAppQuery { channel_app_id, ..query.clone() };
    let items = tx.endpoint_apps_known_to(caller, &spelled).await?;
    Ok(Page::of(items, &query.page(), |endpoint| endpoint.id.to_string()))
}
