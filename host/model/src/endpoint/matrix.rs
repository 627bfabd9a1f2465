//! Which endpoint applications of a merchant hold which of its product instances, side by side.

use berth_base::{
    ids::InstanceId,
    page::{Page, PageQuery},
};
use serde::{Deserialize, Serialize};

use super::{Channel, EndpointApp, InstanceState, ProductInstance};

/// How many product instances one answer sets against the endpoint applications.
pub const COLUMNS: u32 = 10;

/// How many endpoint applications one answer has.
pub const ROWS: u32 = 20;

/// How many channels of each endpoint application an answer tells.
pub const CHANNELS: usize = 5;

/// Which part of the matrix to return.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MatrixQuery {
    /// The `next` of the product instances before.
    #[serde(default)]
    pub products: Option<String>,
    /// The `next` of the endpoint applications before.
    #[serde(default)]
    pub endpoint_apps: Option<String>,
}

impl MatrixQuery {
    /// Which columns are asked for.
    pub fn columns(&self) -> PageQuery {
        PageQuery { cursor: self.products.clone(), limit: Some(COLUMNS) }
    }

    /// Which rows are asked for.
    pub fn rows(&self) -> PageQuery {
        PageQuery { cursor: self.endpoint_apps.clone(), limit: Some(ROWS) }
    }
}

/// Endpoint applications of a merchant beside its product instances. Each of the two lists has pages of its own, and
/// `holds` is about the product instances of this answer alone.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Matrix {
    /// The columns: product instances that the merchant has not given up, by id, 10 at once.
    pub products: Page<ProductInstance>,
    /// The rows: endpoint applications by id, 20 at once.
    pub endpoint_apps: Page<MatrixRow>,
}

/// An endpoint application in a [`Matrix`].
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct MatrixRow {
    /// The endpoint application.
    #[serde(flatten)]
    pub app: EndpointApp,
    /// Which of the product instances of this answer it holds: for a custom one the chosen ones, whatever their state
    /// (E3); for the default one the active ones (E2).
    pub holds: Vec<InstanceId>,
    /// Its first 5 channels, by id.
    pub channels: Vec<Channel>,
    /// Whether it has more channels.
    pub more_channels: bool,
}

impl MatrixRow {
    /// The row of `app`, of which `chosen` are the product instances that were put into it, and `channels` what is bound
    /// to it, up to one more than are told.
    pub fn new(
        app: EndpointApp,
        chosen: impl IntoIterator<Item = InstanceId>,
        columns: &[ProductInstance],
        mut channels: Vec<Channel>,
    ) -> Self {
        let holds = if app.is_default {
            let active = columns.iter().filter(|one| one.state == InstanceState::Active);
            active.map(|one| one.id.clone()).collect()
        } else {
            chosen.into_iter().collect()
        };
        let more_channels = channels.len() > CHANNELS;
        channels.truncate(CHANNELS);
        Self { app, holds, channels, more_channels }
    }

    /// Whether it holds a product instance of this answer.
    pub fn holds(&self, product: &ProductInstance) -> bool {
        self.holds.contains(&product.id)
    }
}
