//! What comes back from WeChat: authorisation codes, by the merchant's browser or by push, and notices that a grant was
//! revoked.

use berth_base::secret::Secret;

/// The query with which WeChat sends the merchant's browser back.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Return {
    /// The state that this host put into the link.
    #[param(value_type = String)]
    pub state: Secret,
    /// The authorisation code; absent when the merchant did not agree.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    pub auth_code: Option<Secret>,
    /// Seconds for which the code is valid.
    #[serde(default)]
    pub expires_in: Option<i64>,
}

/// The `data` of the event about an account that authorised this host and belongs to no merchant.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Unclaimed {
    /// The account's WeChat appid.
    pub app_id: String,
}
