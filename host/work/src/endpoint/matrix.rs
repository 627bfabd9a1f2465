//! Which endpoint applications of a merchant hold which of its product instances, side by side.

use std::collections::BTreeMap;

pub use berth_model::endpoint::matrix::*;

use berth_base::{
    error::Result,
    ids::{EndpointAppId, InstanceId, MerchantId},
    page::Page,
};
use berth_model::{
    access::{Action, Caller},
    endpoint::{EndpointApp, ProductInstance, app::EndpointAppQuery},
};
use berth_store::{Db, Tx};

use super::merchant;

/// A part of the matrix of a merchant whose endpoint applications the caller may read.
///
/// # Errors
/// As [`merchant::authorise`].
pub async fn get(db: &Db, caller: &Caller, id: &MerchantId, query: &MatrixQuery) -> Result<Matrix> {
    let mut tx = db.read().await?;
    merchant::authorise(&mut tx, caller, id, Action::Read).await?;
    let (columns, rows) = (query.columns(), query.rows());
    let products = tx.products_kept_by(id, &columns).await?;
    let products = Page::of(products, &columns, |product| product.id.to_string());
    let of_merchant = EndpointAppQuery {
        merchant: Some(id.clone()),
        cursor: rows.cursor.clone(),
        limit: rows.limit,
        ..Default::default()
    };
    let apps = tx.endpoint_apps_known_to(caller, &of_merchant).await?;
    let apps = Page::of(apps, &rows, |app: &EndpointApp| app.id.to_string());
    let mut chosen = chosen(&mut tx, id, &apps.items, &products.items).await?;
    let mut items = Vec::with_capacity(apps.items.len());
    for app in apps.items {
        let channels = tx.channels_of_endpoint(&app.id, CHANNELS as i64 + 1).await?;
        let chosen = chosen.remove(&app.id).unwrap_or_default();
        items.push(MatrixRow::new(app, chosen, &products.items, channels));
    }
    Ok(Matrix { endpoint_apps: Page { items, next: apps.next }, products })
}

/// Which of the product instances were put into each of the custom endpoint applications.
async fn chosen(
    tx: &mut Tx,
    merchant: &MerchantId,
    apps: &[EndpointApp],
    products: &[ProductInstance],
) -> Result<BTreeMap<EndpointAppId, Vec<InstanceId>>> {
    let mut chosen = BTreeMap::<_, Vec<_>>::new();
    let ([first_app, ..], [first, ..]) = (apps, products) else { return Ok(chosen) };
    let (last_app, last) = (apps.last().unwrap_or(first_app), products.last().unwrap_or(first));
    let pairs = tx.chosen_between(merchant, (&first_app.id, &last_app.id), (&first.id, &last.id)).await?;
    for (app, product) in pairs {
        chosen.entry(app).or_default().push(product);
    }
    Ok(chosen)
}
