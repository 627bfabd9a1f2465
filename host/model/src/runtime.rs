//! What a check tells a host app besides the package: what it must enforce or show. Each member is serialised when it
//! changes, and only copied when a device asks.

use serde::{Deserialize, Serialize};

use crate::{
    endpoint::runtime::{Endpoint, EndpointRuntime},
    finished::Finished,
    privacy::PrivacyRuntime,
    settings::{ApiName, DomainsRuntime},
};

/// What the host app must enforce or show besides the package itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Runtime {
    /// With which domains the MiniApp may communicate (D1, D2); absent where no MiniApp is asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DomainsRuntime>)]
    pub domains: Option<Finished<DomainsRuntime>>,
    /// The endpoint application that the MiniApp is a channel of; absent when it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<EndpointRuntime>)]
    pub endpoint: Option<Endpoint>,
    /// The sensitive APIs that the host app has granted to the MiniApp, ascending (D3); absent when it has granted none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<ApiName>>)]
    pub granted_apis: Option<Finished<Vec<ApiName>>>,
    /// The version of the privacy agreement that holds, and since when a consent counts (D11); absent when none is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PrivacyRuntime>)]
    pub privacy: Option<Finished<PrivacyRuntime>>,
    /// The APIs that the host app has marked as sensitive, ascending (D3): the host app refuses a call of one that is
    /// not granted. Absent when it has marked none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<ApiName>>)]
    pub sensitive_apis: Option<Finished<Vec<ApiName>>>,
}
