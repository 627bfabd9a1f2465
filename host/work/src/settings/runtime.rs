//! What a bundle tells a host app of the settings and the privacy agreement of a MiniApp until a check does.

use berth_base::{
    error::Result,
    ids::{HostAppId, MiniAppId},
};
use berth_model::{Finished, runtime::Runtime, settings::AppSettings};
use berth_store::{Span, Tx};

/// What a check from this host app would tell of the settings and the privacy agreement of a MiniApp now.
pub async fn runtime(tx: &mut Tx, mini_app: &MiniAppId, host_app: &HostAppId) -> Result<Runtime> {
    let domains = tx.domain_settings(mini_app).await?.domains;
    let permits = tx.permits_in_force_in(&Span::one(mini_app)).await?;
    let permits: Vec<_> = permits.into_iter().map(|(_, permit)| permit).collect();
    let settings = AppSettings::of(&domains, &permits)?;
    let sensitive: Vec<_> = tx.sensitive_apis(host_app).await?.apis.into_iter().map(|one| one.api).collect();
    let privacy = tx.privacy_version(mini_app, None).await?;
    let privacy = privacy.map(|version| Finished::of(version.head.runtime(mini_app))).transpose()?;
    let now = tx.now();
    Ok(Runtime {
        domains: Some(settings.domains(host_app, now).clone()),
        granted_apis: settings.granted_apis(host_app, now).cloned(),
        privacy,
        sensitive_apis: if sensitive.is_empty() { None } else { Some(Finished::of(sensitive)?) },
        ..Runtime::default()
    })
}
