//! Settings of the export of real-time logs.

use berth_base::secret::Secret;

/// Where real-time logs are exported to.
#[derive(Clone, Default, clap::Args)]
pub struct LogExportConfig {
    /// OpenTelemetry receiver to which every entry of the real-time logs is sent, by OTLP/HTTP in JSON, such as
    /// https://collector.example:4318/v1/logs.
    #[arg(long, env = "BERTH_LOG_OTLP_URL", value_name = "URL")]
    pub log_otlp_url: Option<String>,

    /// Headers for it, such as `authorization=Bearer%20SECRET,x-tenant=berth`; values are percent-encoded. Better given by
    /// the variable, as all users of a machine see the arguments of processes.
    #[arg(
        long,
        env = "BERTH_LOG_OTLP_HEADERS",
        hide_env_values = true,
        value_name = "HEADERS",
        requires = "log_otlp_url"
    )]
    pub log_otlp_headers: Option<Secret>,
}

impl std::fmt::Debug for LogExportConfig {
    /// Without the headers, which are secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogExportConfig").field("log_otlp_url", &self.log_otlp_url).finish_non_exhaustive()
    }
}
