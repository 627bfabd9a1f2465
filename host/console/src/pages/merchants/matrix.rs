//! The endpoint applications of a merchant beside its product instances, as a part of its page.

use berth_model::endpoint::{
    ProductInstance,
    matrix::{Matrix, MatrixRow},
};

use super::{Parts, page_of_endpoint};
use crate::{
    parts::{Badge, Shown as _},
    path::{at, with_query},
    refused::Refused,
    texts::Texts,
    visit::Visit,
};

/// A part of the matrix, and where the others are.
pub struct Shown {
    pub it: Matrix,
    /// Where the first product instances are, when others are shown.
    pub first_columns: Option<String>,
    pub more_columns: Option<String>,
    pub more_rows: Option<String>,
    merchant: String,
    may_operate: bool,
}

impl Shown {
    /// The part that an address asks for.
    pub async fn of(visit: &Visit, id: &str, parts: &Parts, may_operate: bool) -> Result<Self, Refused> {
        let members = [("products", Some(parts.columns.as_str())), ("endpoint_apps", Some(parts.apps.as_str()))];
        let it: Matrix = visit.api.get(&with_query(&at!("/v1/merchants/{}/endpoint-matrix", id), members)).await?;
        Ok(Self {
            first_columns: parts.with(id, "columns", (!parts.columns.is_empty()).then_some("")),
            more_columns: parts.with(id, "columns", it.products.next.as_deref()),
            more_rows: parts.with(id, "apps", it.endpoint_apps.next.as_deref()),
            it,
            merchant: id.to_owned(),
            may_operate,
        })
    }

    /// The state of a product instance where an endpoint application holds it.
    pub fn mark(&self, t: &Texts, row: &MatrixRow, product: &ProductInstance) -> Option<Badge> {
        row.holds(product).then(|| product.state.badge(t))
    }

    /// Where it is changed whether an endpoint application holds a product instance; `None` for whoever may not, and for the
    /// default one, which nobody chooses for.
    pub fn change(&self, row: &MatrixRow, product: &ProductInstance) -> Option<String> {
        let may = self.may_operate && !row.app.is_default;
        let page = || page_of_endpoint(&self.merchant, row.app.id.as_str());
        may.then(|| with_query(&page(), [("product", Some(product.id.as_str()))]) + "#products")
    }
}
