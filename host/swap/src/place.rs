//! The places in requests and answers where OpenIDs stand.

use std::{fmt, str::FromStr};

use hyper::header::HeaderName;
use percent_encoding::percent_decode_str;

use berth_base::error::{Error, Result};

use crate::{found::Found, json::Pointer};

/// How places are written.
const FORMS: &str = "header:NAME, query:NAME, path:/users/*, form:NAME or json:/users/*/open_id";

/// A place where OpenIDs stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The value of a header.
    Header(HeaderName),
    /// The value of a parameter in the address.
    Query(String),
    /// A segment of the path: those that are `*` in this pattern. It fits longer paths, too.
    Path(Vec<String>),
    /// A field of a form.
    Form(String),
    /// A string in a JSON document.
    Json(Pointer),
}

impl Place {
    /// Whether answers have such places.
    pub(crate) fn is_in_answers(&self) -> bool {
        matches!(self, Self::Header(_) | Self::Json(_))
    }
}

impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: &str| Error::parameter("place", format!("{why}; write {FORMS}."));
        let (kind, rest) = text.split_once(':').ok_or_else(|| wrong("has no kind"))?;
        if rest.is_empty() {
            return Err(wrong("names nothing"));
        }
        match kind {
            "header" => rest.parse().map(Self::Header).map_err(|_| wrong("is no name of a header")),
            "query" => Ok(Self::Query(rest.to_owned())),
            "form" => Ok(Self::Form(rest.to_owned())),
            "json" => {
                let pointer = Pointer::read(rest);
                pointer.map(Self::Json).ok_or_else(|| wrong("has a JSON pointer that does not begin with /"))
            }
            "path" => {
                let segments = rest.strip_prefix('/').ok_or_else(|| wrong("has a path that does not begin with /"))?;
                let segments: Vec<_> = segments.split('/').map(str::to_owned).collect();
                let has_one = segments.iter().any(|segment| segment == "*");
                has_one.then_some(Self::Path(segments)).ok_or_else(|| wrong("has no * where the OpenID stands"))
            }
            _ => Err(wrong("is of an unknown kind")),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Query(name) => write!(f, "query:{name}"),
            Self::Path(segments) => write!(f, "path:/{}", segments.join("/")),
            Self::Form(name) => write!(f, "form:{name}"),
            Self::Json(pointer) => write!(f, "json:{pointer}"),
        }
    }
}

/// The OpenIDs in a text of the form `a=b&c=d` that are values of these names. Values that are no OpenIDs are left alone.
pub(crate) fn in_pairs(text: &str, names: &[String]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut start = 0;
    for pair in text.split('&') {
        if let (Some((name, value)), Some(equals)) = (form_urlencoded::parse(pair.as_bytes()).next(), pair.find('='))
            && names.iter().any(|one| *one == name)
            && let Ok(open_id) = value.parse()
        {
            found.push(Found { at: start + equals + 1..start + pair.len(), open_id });
        }
        start += pair.len() + 1;
    }
    found
}

/// The OpenIDs in the segments of a path that are `*` in the pattern.
pub(crate) fn in_path(path: &str, pattern: &[String]) -> Vec<Found> {
    let mut segments = Vec::new();
    let mut start = 1;
    for segment in path.strip_prefix('/').unwrap_or_default().split('/') {
        segments.push((start, segment));
        start += segment.len() + 1;
    }
    let decoded = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    let fits = |(wanted, (_, segment)): (&String, &(usize, &str))| wanted == "*" || *wanted == decoded(segment);
    if segments.len() < pattern.len() || !pattern.iter().zip(&segments).all(fits) {
        return Vec::new();
    }
    let starred = pattern.iter().zip(&segments).filter(|(wanted, _)| *wanted == "*");
    let open_id = |(start, segment): &(usize, &str)| {
        decoded(segment).parse().ok().map(|open_id| Found { at: *start..*start + segment.len(), open_id })
    };
    starred.filter_map(|(_, segment)| open_id(segment)).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::found::replaced;
    use berth_model::user::OpenId;

    fn id(byte: u8) -> OpenId {
        OpenId::of_mac(&[byte; 32])
    }

    #[test]
    fn u9_a_place_is_read_as_it_is_written() {
        for text in ["header:x-open-id", "query:openid", "path:/users/*/orders", "form:openid", "json:/users/*/open_id"]
        {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        for wrong in ["x-open-id", "header:", "header:a b", "path:users/*", "path:/users", "json:open_id", "cookie:a"] {
            assert!(wrong.parse::<Place>().unwrap_err().detail.contains("json:/users/*/open_id"), "{wrong}");
        }
    }

    #[test]
    fn u9_values_of_pairs_are_found_however_they_are_written() {
        let (one, two) = (id(1), id(2));
        let encoded = format!("%{:02x}{}", b'o', &two.as_str()[1..]);
        let text = format!("a={}&openid={}&b=1&&open%69d={encoded}&openid=guest&openid", one.as_str(), one.as_str());
        let found = in_pairs(&text, &["openid".into()]);
        assert_eq!(found.iter().map(|one| one.open_id.clone()).collect::<Vec<_>>(), [one.clone(), two]);
        let swapped = replaced(&text, &found, |_| "X");
        assert_eq!(swapped, format!("a={}&openid=X&b=1&&open%69d=X&openid=guest&openid", one.as_str()));
    }

    #[test]
    fn u9_segments_of_paths_are_found_where_the_pattern_fits() {
        let pattern = ["users", "*", "friends", "*"].map(str::to_owned);
        assert_eq!("path:/users/*/friends/*".parse::<Place>().unwrap(), Place::Path(pattern.to_vec()));
        let (one, two) = (id(1), id(2));
        let path = format!("/users/{}/friends/{}/since", one.as_str(), two.as_str());
        assert_eq!(replaced(&path, &in_path(&path, &pattern), |_| "X"), "/users/X/friends/X/since");
        for other in [format!("/user/{}/friends/a", one.as_str()), format!("/users/{}", one.as_str()), "/".into()] {
            assert_eq!(in_path(&other, &pattern), []);
        }
        let encoded = format!("/%75sers/%6f{}/friends/me", &one.as_str()[1..]);
        assert_eq!(in_path(&encoded, &pattern).len(), 1);
    }
}
