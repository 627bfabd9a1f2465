//! The parameters of a request, as OAuth reads them.

use std::collections::BTreeMap;

use url::form_urlencoded;

use super::Refusal;

/// The parameters of a request by name. None may be there twice, an empty one is absent, and who does not know one leaves it
/// aside (RFC 6749, §3.1).
#[derive(Default)]
pub struct Parameters(BTreeMap<String, Vec<String>>);

impl Parameters {
    /// The parameters with these names and values.
    pub fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut all = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            all.entry(name).or_default().push(value);
        }
        Self(all)
    }

    /// The parameters of a query or a form.
    pub fn read(text: &[u8]) -> Self {
        Self::of(form_urlencoded::parse(text).into_owned())
    }

    /// The parameters as a query, without those that have these names.
    pub fn query_without(&self, names: &[&str]) -> String {
        let others = self.0.iter().filter(|(other, _)| !names.contains(&other.as_str()));
        let pairs = others.flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    /// The value of a parameter, if it is there.
    ///
    /// # Errors
    /// `invalid_request` when it is there twice.
    pub fn get(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.0.get(name).map(Vec::as_slice) {
            None => Ok(None),
            Some([value]) => Ok(Some(value)),
            Some(_) => Err(Refusal::request(format!("The parameter {name} is there twice."))),
        }
    }

    /// The value of a parameter that has to be there.
    ///
    /// # Errors
    /// `invalid_request` when it is not, or is there twice.
    pub fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name)?.ok_or_else(|| Refusal::request(format!("The parameter {name} is missing.")))
    }
}

/// Parameters hold codes and secrets and have no place in logs.
impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn u10_an_empty_parameter_is_absent_and_none_is_there_twice() {
        let pairs = [("a", "1"), ("b", ""), ("c", "1"), ("c", "2"), ("d", ""), ("d", "4")];
        let all = Parameters::of(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!((all.get("a").unwrap(), all.get("b").unwrap(), all.get("d").unwrap()), (Some("1"), None, Some("4")));
        assert!(all.get("c").unwrap_err().detail.contains("twice"));
        assert!(all.required("b").unwrap_err().detail.contains("missing"));
        assert_eq!(all.query_without(&["a", "d"]), "c=1&c=2");
        assert_eq!(format!("{all:?}"), r#"{"a", "c", "d"}"#, "no value shows");
    }
}
