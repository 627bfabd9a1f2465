//! Host apps: the apps in which MiniApps run.

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{HostAppId, UserId},
};
use serde::{Deserialize, Serialize};

/// A host app: an app in which MiniApps run.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct HostApp {
    /// Id of the host app; it never changes.
    pub id: HostAppId,
    /// Display name, 1 to 64 characters.
    pub name: String,
    /// The key that its SDK sends in `X-Host-App-Key`. It names the host app and proves nothing, because it ships
    /// inside an app.
    pub public_key: String,
    /// The keys that this one has replaced, newest first, at most 20. Devices of older builds send them, and are served until
    /// their ends. Left out in lists of host apps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "sql", sqlx(skip))]
    pub former_keys: Vec<FormerKey>,
    /// When it was created.
    pub created_at: Millis,
}

/// A public key of a host app that another one has replaced.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct FormerKey {
    /// The key.
    pub public_key: String,
    /// When another one replaced it.
    pub replaced_at: Millis,
    /// The account that replaced it.
    pub replaced_by: UserId,
    /// From when on devices that send it are refused.
    pub ends_at: Millis,
}

/// For how many seconds a key works after another one has replaced it, when nothing is said: 90 days, in which most people
/// update an app.
pub const KEEP_OLD_KEY: i64 = 90 * 86_400;
/// For how many seconds a key that was replaced works at most.
pub const LONGEST_OLD_KEY: i64 = 730 * 86_400;

/// How the public key of a host app is replaced.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// Seconds for which the old key works too, 0 to 63,072,000 (two years); 7,776,000 (90 days) when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_old_seconds: Option<i64>,
}

impl RotateKey {
    /// From when on the old key is refused, if it is replaced at `now`.
    ///
    /// # Errors
    /// `invalid-field` when that is too late, or before `now`.
    pub fn old_ends_at(&self, now: Millis) -> Result<Millis> {
        let seconds = self.keep_old_seconds.unwrap_or(KEEP_OLD_KEY);
        if !(0..=LONGEST_OLD_KEY).contains(&seconds) {
            return Err(Error::field("keep_old_seconds", format!("must be from 0 to {LONGEST_OLD_KEY}.")));
        }
        Ok(now.plus_seconds(seconds))
    }
}

/// When a former key of a host app ends.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndKey {
    /// From when on devices that send the key are refused, two years from now at the latest; at once when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Millis>,
}

impl EndKey {
    /// The moment, which is not before `now`.
    ///
    /// # Errors
    /// `invalid-field` when it is too late.
    pub fn at(&self, now: Millis) -> Result<Millis> {
        let at = self.ends_at.unwrap_or(now).max(now);
        if at > now.plus_seconds(LONGEST_OLD_KEY) {
            return Err(Error::field("ends_at", "must be within two years from now."));
        }
        Ok(at)
    }
}

/// A host app to create.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHostApp {
    /// Display name, 1 to 64 characters.
    pub name: String,
    /// Id of the host app, of the form `[a-z0-9][a-z0-9-]{2,62}`; generated when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<HostAppId>,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_000_000);

    #[test]
    fn a6_an_old_key_works_for_90_days_unless_something_else_is_said() {
        let ends = |keep_old_seconds| RotateKey { keep_old_seconds }.old_ends_at(NOW);
        assert_eq!(ends(None).unwrap(), NOW.plus_seconds(90 * 86_400));
        assert_eq!(ends(Some(0)).unwrap(), NOW);
        assert_eq!(ends(Some(LONGEST_OLD_KEY)).unwrap(), NOW.plus_seconds(LONGEST_OLD_KEY));
        assert!(ends(Some(-1)).is_err() && ends(Some(LONGEST_OLD_KEY + 1)).is_err() && ends(Some(i64::MAX)).is_err());
    }

    #[test]
    fn a6_a_key_ends_at_once_or_later_and_never_in_the_past() {
        let ends = |ends_at| EndKey { ends_at }.at(NOW);
        assert_eq!((ends(None).unwrap(), ends(Some(Millis(5))).unwrap()), (NOW, NOW));
        assert_eq!(ends(Some(NOW.plus_seconds(60))).unwrap(), NOW.plus_seconds(60));
        assert!(ends(Some(NOW.plus_seconds(LONGEST_OLD_KEY + 1))).is_err());
    }
}
