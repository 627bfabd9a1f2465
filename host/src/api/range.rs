//! Preconditions and ranges of RFC 9110 (§13, §14), as pure functions: what a download of known length answers.
//!
//! Only single ranges are served. Several ranges would need multipart bodies that no SDK asks for, and RFC 9110 §14.2
//! lets a server ignore them: they get the whole, as do malformed, overlapping and too many ranges.

use crate::api::problem::Problem;
use std::ops::Range;

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE},
    },
    response::{IntoResponse, Response},
};

use crate::error::{Code, Error};

/// Most ranges in one header that are looked at.
const MAX_RANGES: usize = 8;

/// What a `Range` header asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Everything: the header is absent, malformed, of another unit, overlapping or excessive.
    Whole,
    /// These bytes, ends exclusive, in the order asked.
    Ranges(Vec<Range<u64>>),
    /// Well-formed, and not one byte of it exists.
    Unsatisfiable,
}

/// Reads a `Range` header for a representation of `len` bytes.
pub fn parse_range(header: &str, len: u64) -> Asked {
    let Some((unit, list)) = header.split_once('=') else { return Asked::Whole };
    let items: Vec<&str> = list.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    if !unit.trim().eq_ignore_ascii_case("bytes") || items.is_empty() || items.len() > MAX_RANGES || len == 0 {
        return Asked::Whole;
    }
    let Some(parsed) = items.into_iter().map(|item| parse_one(item, len)).collect::<Option<Vec<_>>>() else {
        return Asked::Whole;
    };
    let satisfiable: Vec<Range<u64>> = parsed.into_iter().flatten().collect();
    match satisfiable.as_slice() {
        [] => Asked::Unsatisfiable,
        ranges if overlap(ranges) => Asked::Whole,
        _ => Asked::Ranges(satisfiable),
    }
}

/// `None`: malformed. `Some(None)`: well-formed, outside.
fn parse_one(item: &str, len: u64) -> Option<Option<Range<u64>>> {
    let (first, last) = item.split_once('-')?;
    match (first, last) {
        ("", suffix) => {
            let suffix = number(suffix)?;
            Some((suffix > 0).then(|| len.saturating_sub(suffix)..len))
        }
        (first, "") => {
            let first = number(first)?;
            Some((first < len).then_some(first..len))
        }
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then(|| (first < len).then(|| first..last.saturating_add(1).min(len)))
        }
    }
}

/// Digits only; a number beyond u64 is as good as the largest.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

fn overlap(ranges: &[Range<u64>]) -> bool {
    let mut sorted: Vec<_> = ranges.iter().collect();
    sorted.sort_by_key(|range| range.start);
    sorted.windows(2).any(|pair| pair[0].end > pair[1].start)
}

/// What to answer to a `GET` or `HEAD` of immutable bytes.
#[derive(Clone, Debug)]
pub struct Answer {
    /// 200, 206, 304, 412 or 416.
    pub status: StatusCode,
    /// The bytes to stream; `None` for no body (304, 412, 416).
    pub range: Option<Range<u64>>,
    /// `ETag`, `Accept-Ranges`, and by status `Content-Length` and `Content-Range`.
    pub headers: HeaderMap,
}

/// Decides by RFC 9110 §13.2.2: If-Match, If-None-Match, then Range under If-Range. `etag` is strong, with its quotes.
/// There is no Last-Modified, so a date in If-Range never matches and the whole is sent.
pub fn decide(method: &Method, request: &HeaderMap, etag: &HeaderValue, len: u64) -> Answer {
    let tag = etag.to_str().unwrap_or_default();
    if request.contains_key(IF_MATCH) && !lists(request, IF_MATCH, tag, same_strongly) {
        return Answer::bare(StatusCode::PRECONDITION_FAILED, etag);
    }
    if lists(request, IF_NONE_MATCH, tag, same_weakly) {
        return Answer::bare(StatusCode::NOT_MODIFIED, etag);
    }
    match asked(method, request, tag, len) {
        Asked::Unsatisfiable => {
            Answer::bare(StatusCode::RANGE_NOT_SATISFIABLE, etag).with(CONTENT_RANGE, format!("bytes */{len}"))
        }
        Asked::Ranges(ranges) if ranges.len() == 1 => Answer::part(ranges[0].clone(), etag, len),
        _ => Answer::whole(etag, len),
    }
}

/// Range is defined for GET only, and If-Range must hold.
fn asked(method: &Method, request: &HeaderMap, tag: &str, len: u64) -> Asked {
    let mut lines = request.get_all(RANGE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return Asked::Whole };
    let fresh = request.get(IF_RANGE).is_none_or(|value| value.to_str().is_ok_and(|given| same_strongly(given, tag)));
    match line.to_str() {
        Ok(text) if method == Method::GET && fresh => parse_range(text, len),
        _ => Asked::Whole,
    }
}

/// Does a list header name `tag`, or `*`?
fn lists(request: &HeaderMap, name: HeaderName, tag: &str, same: fn(&str, &str) -> bool) -> bool {
    let lines = request.get_all(name);
    // Our tags hold no comma, so a tag with one cannot be ours and may fall apart here.
    let mut given = lines.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    given.any(|given| given.trim() == "*" || same(given.trim(), tag))
}

fn same_strongly(given: &str, tag: &str) -> bool {
    given.trim() == tag && !tag.starts_with("W/")
}

fn same_weakly(given: &str, tag: &str) -> bool {
    given.trim_start_matches("W/") == tag.trim_start_matches("W/")
}

impl Answer {
    fn bare(status: StatusCode, etag: &HeaderValue) -> Self {
        let headers = HeaderMap::from_iter([(ETAG, etag.clone())]);
        Self { status, range: None, headers }
    }

    fn whole(etag: &HeaderValue, len: u64) -> Self {
        let answer = Self { range: Some(0..len), ..Self::bare(StatusCode::OK, etag) };
        answer.with(ACCEPT_RANGES, "bytes").with(CONTENT_LENGTH, len.to_string())
    }

    fn part(range: Range<u64>, etag: &HeaderValue, len: u64) -> Self {
        let Range { start, end } = range;
        let answer = Self { range: Some(range), ..Self::bare(StatusCode::PARTIAL_CONTENT, etag) };
        answer
            .with(ACCEPT_RANGES, "bytes")
            .with(CONTENT_LENGTH, (end - start).to_string())
            .with(CONTENT_RANGE, format!("bytes {start}-{}/{len}", end - 1))
    }

    fn with(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.insert(name, value);
        }
        self
    }

    /// The response; `body` is what streams [`Answer::range`] (for HEAD, give an empty one). 412 and 416 are problems.
    pub fn respond(self, body: Body) -> Response {
        let mut response = match self.status {
            StatusCode::RANGE_NOT_SATISFIABLE => {
                let detail = "No byte of the range exists. Content-Range says how long the package is.";
                Problem(Error::new(Code::UnsupportedRange, detail)).into_response()
            }
            StatusCode::PRECONDITION_FAILED => {
                Problem(Error::new(Code::PreconditionFailed, "The ETag is not the one in If-Match.")).into_response()
            }
            StatusCode::NOT_MODIFIED => StatusCode::NOT_MODIFIED.into_response(),
            status => (status, body).into_response(),
        };
        response.headers_mut().extend(self.headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETAG_OF_IT: HeaderValue = HeaderValue::from_static("\"abc\"");

    fn one(range: Range<u64>) -> Asked {
        Asked::Ranges(vec![range])
    }

    #[test]
    fn f70_ranges_are_read_as_rfc_9110_says() {
        let many = format!("bytes={}", (0..1000).map(|i| format!("{i}-{i}")).collect::<Vec<_>>().join(","));
        let table = [
            ("bytes=0-9", one(0..10)),
            ("bytes=0-0", one(0..1)),
            ("Bytes=90-", one(90..100)),
            ("bytes=-10", one(90..100)),
            ("bytes=-1000", one(0..100)),
            ("bytes=50-1000", one(50..100)),
            ("bytes=99-99999999999999999999999", one(99..100)),
            ("bytes=0-1, 5-6", Asked::Ranges(vec![0..2, 5..7])),
            ("bytes=0-1,,5-6", Asked::Ranges(vec![0..2, 5..7])),
            ("bytes=0-1,200-", one(0..2)),
            ("bytes=100-", Asked::Unsatisfiable),
            ("bytes=-0", Asked::Unsatisfiable),
            ("bytes=99999999999999999999999-", Asked::Unsatisfiable),
            ("bytes=0-50,20-70", Asked::Whole),
            ("bytes=0-,0-,0-", Asked::Whole),
            ("bytes=9-0", Asked::Whole),
            ("bytes=", Asked::Whole),
            ("bytes=,", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("bytes=+1-2", Asked::Whole),
            ("bytes=0-1,x", Asked::Whole),
            ("items=0-1", Asked::Whole),
            ("0-1", Asked::Whole),
            (many.as_str(), Asked::Whole),
        ];
        for (header, expected) in table {
            assert_eq!(parse_range(header, 100), expected, "{header}");
        }
    }

    #[test]
    fn f70_nothing_is_a_range_of_nothing() {
        assert_eq!(parse_range("bytes=0-", 0), Asked::Whole);
        assert_eq!(parse_range("bytes=-5", 0), Asked::Whole);
    }

    /// Appends, so that a header can stand twice.
    fn answer(method: Method, headers: &[(HeaderName, &'static str)]) -> (u16, Option<Range<u64>>) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_static(value));
        }
        let answer = decide(&method, &map, &ETAG_OF_IT, 100);
        (answer.status.as_u16(), answer.range)
    }

    #[test]
    fn f70_preconditions_come_before_ranges() {
        let range = (RANGE, "bytes=0-9");
        let table: [(&[_], _); 15] = [
            (&[], (200, Some(0..100))),
            (&[(RANGE, "bytes=0-9")], (206, Some(0..10))),
            (&[range.clone(), (IF_RANGE, "\"abc\"")], (206, Some(0..10))),
            (&[range.clone(), (IF_RANGE, "\"old\"")], (200, Some(0..100))),
            (&[range.clone(), (IF_RANGE, "W/\"abc\"")], (200, Some(0..100))),
            (&[range.clone(), (IF_RANGE, "Wed, 21 Oct 2015 07:28:00 GMT")], (200, Some(0..100))),
            (&[range.clone(), range.clone()], (200, Some(0..100))),
            (&[(RANGE, "bytes=100-")], (416, None)),
            (&[(RANGE, "bytes=100-"), (IF_RANGE, "\"old\"")], (200, Some(0..100))),
            (&[(RANGE, "bytes=0-1,5-6")], (200, Some(0..100))),
            (&[(IF_NONE_MATCH, "\"abc\""), range.clone()], (304, None)),
            (&[(IF_NONE_MATCH, "\"x\", W/\"abc\"")], (304, None)),
            (&[(IF_NONE_MATCH, "*")], (304, None)),
            (&[(IF_NONE_MATCH, "\"x\"")], (200, Some(0..100))),
            (&[(IF_MATCH, "\"x\"")], (412, None)),
        ];
        for (headers, expected) in table {
            assert_eq!(answer(Method::GET, headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn head_knows_no_ranges() {
        assert_eq!(answer(Method::HEAD, &[(RANGE, "bytes=0-9")]), (200, Some(0..100)));
    }

    #[test]
    fn a_part_says_where_it_lies() {
        let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=-1"))]);
        let response = decide(&Method::GET, &headers, &ETAG_OF_IT, 100).respond(Body::from("x"));
        assert_eq!(response.status(), 206);
        assert_eq!(response.headers()[CONTENT_RANGE], "bytes 99-99/100");
        assert_eq!(response.headers()[CONTENT_LENGTH], "1");
        assert_eq!(response.headers()[ETAG], "\"abc\"");
    }

    #[test]
    fn f70_a_range_past_the_end_is_told_the_length() {
        let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=100-"))]);
        let response = decide(&Method::GET, &headers, &ETAG_OF_IT, 100).respond(Body::empty());
        assert_eq!(
            (response.status().as_u16(), &response.headers()[CONTENT_RANGE]),
            (416, &"bytes */100".parse().unwrap_or(ETAG_OF_IT))
        );
    }
}
