//! Values that are serialised once and then copied into many answers.

use std::{fmt, ops::Deref, sync::Arc};

use berth_base::error::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A value together with its JSON. Cheap to clone: checks copy the finished text.
pub struct Finished<T>(Arc<Shared<T>>);

struct Shared<T> {
    value: T,
    json: Box<RawValue>,
}

impl<T: Serialize> Finished<T> {
    /// Serialises the value.
    ///
    /// # Errors
    /// `internal` when it cannot be serialised.
    pub fn of(value: T) -> Result<Self> {
        let json = serde_json::value::to_raw_value(&value).map_err(Error::internal)?;
        Ok(Self(Arc::new(Shared { value, json })))
    }
}

impl<T> Clone for Finished<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for Finished<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Finished<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.value.fmt(f)
    }
}

impl<T: PartialEq> PartialEq for Finished<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.value == other.0.value
    }
}

impl<T: Eq> Eq for Finished<T> {}

impl<T> Serialize for Finished<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.json.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de> + Serialize> Deserialize<'de> for Finished<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(T::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
