//! Addresses of the API and of the console, with what comes from people escaped.

pub use berth_base::address::escape;

/// An address: `at!("/v1/mini-apps/{}/versions", id)`. Each value is escaped.
macro_rules! at {
    ($path:literal $(, $value:expr)* $(,)?) => { format!($path $(, $crate::path::escape(&$value))*) };
}
pub(crate) use at;

/// An address with those of the members of its query that are there.
pub fn with_query<'a>(path: &str, members: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in members {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Which page of a list an address asks for.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Cursor {
    pub cursor: String,
}

/// The address of a page of a list; the empty cursor is that of the first.
pub fn at_cursor(path: &str, cursor: &str) -> String {
    with_query(path, [("cursor", Some(cursor))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_people_stays_in_its_segment() {
        assert_eq!(
            at!("/v1/mini-apps/{}/versions/{}", "../a?b", "1.0.0+x"),
            "/v1/mini-apps/..%2Fa%3Fb/versions/1.0.0%2Bx"
        );
    }

    #[test]
    fn a_query_has_the_members_that_are_there() {
        let members = [("q", Some("a b&c")), ("team", None), ("cursor", Some(""))];
        assert_eq!(with_query("/ui/mini-apps", members), "/ui/mini-apps?q=a+b%26c");
    }
}
