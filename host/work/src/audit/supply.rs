//! What auditors are told of the settings and the privacy agreement of a MiniApp (D8, D14).

use std::collections::BTreeMap;

use berth_base::{
    error::Result,
    ids::{HostAppId, MiniAppId},
};
use berth_model::{
    audit::{GrantedApis, ServerDomains, Supplies},
    privacy::DeclaredPrivacy,
    settings::PermitKind,
};
use berth_store::{Span, Tx};

/// The settings of a MiniApp as they are now, as far as they concern the host apps that decide on a version of it.
pub(super) async fn supplies(tx: &mut Tx, mini_app: &MiniAppId, host_apps: &[HostAppId]) -> Result<Supplies> {
    let now = tx.now();
    let mut permits = tx.permits_in_force_in(&Span::one(mini_app)).await?;
    permits.retain(|(_, permit)| permit.until.is_none_or(|until| now < until));
    let skips = |host_app: &HostAppId| {
        permits.iter().any(|(_, permit)| permit.kind == PermitKind::SkipDomains && permit.host_app == *host_app)
    };
    let (skipped_in, verified_in) = host_apps.iter().cloned().partition(skips);
    let domains = tx.domain_settings(mini_app).await?.domains;
    let mut sensitive_apis = BTreeMap::new();
    for host_app in host_apps {
        let sensitive: Vec<_> = tx.sensitive_apis(host_app).await?.apis.into_iter().map(|one| one.api).collect();
        let own = permits.iter().filter(|(_, permit)| permit.host_app == *host_app);
        let mut granted: Vec<_> = own.filter_map(|(_, permit)| permit.api.clone()).collect();
        granted.sort_unstable();
        sensitive_apis.insert(host_app.clone(), GrantedApis { sensitive, granted });
    }
    let privacy = tx.privacy_version(mini_app, None).await?;
    let privacy = privacy.map(|it| DeclaredPrivacy::of(it.head.version, &it.agreement.collected)).unwrap_or_default();
    Ok(Supplies { server_domains: ServerDomains { domains, verified_in, skipped_in }, sensitive_apis, privacy })
}
