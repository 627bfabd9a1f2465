//! Preconditions and ranges of RFC 9110 (§13, §14) as pure functions: how to answer a download whose length is known.
//!
//! Only single ranges are served. Several ranges would need multipart bodies that no SDK asks for, and RFC 9110 §14.2
//! lets a server ignore them: such requests get everything, as do those with malformed or too many ranges.

use crate::problem::Problem;
use std::{num::NonZeroUsize, ops::Range};

use axum::{
    body::Body,
    http::{
        HeaderMap, Method, StatusCode,
        header::{IF_MATCH, IF_RANGE, RANGE},
    },
    response::{IntoResponse, Response},
};
use headers::{AcceptRanges, ContentLength, ContentRange, ETag, Header, HeaderMapExt, IfMatch, IfNoneMatch, IfRange};
use http_range_header::{RangeUnsatisfiableError, parse_range_header_with_max_ranges};

use berth_base::error::{Code, Error};

/// How many ranges in one header are read at most.
const MAX_RANGES: NonZeroUsize = NonZeroUsize::new(8).unwrap();

/// The bytes that a `Range` header asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Everything, because the header is absent, malformed, in another unit or excessive, or asks for several parts.
    Whole,
    /// The bytes in this range; its end is exclusive.
    Part(Range<u64>),
    /// A well-formed range of which no byte exists.
    Unsatisfiable,
}

/// Reads a `Range` header for a representation of `len` bytes.
pub(crate) fn parse_range(header: &str, len: u64) -> Asked {
    if len == 0 {
        return Asked::Whole; // nothing is no range of it, and a 200 says more than a 416
    }
    // `headers::Range` passes over what is malformed and does not clip: hence a crate of its own for this header.
    let ranges = parse_range_header_with_max_ranges(header, MAX_RANGES).and_then(|ranges| ranges.validate(len));
    match ranges.as_deref() {
        Ok([range]) => Asked::Part(*range.start()..range.end() + 1),
        Ok(_) => Asked::Whole,
        Err(RangeUnsatisfiableError::Unsatisfiable) => Asked::Unsatisfiable,
        Err(_) => Asked::Whole,
    }
}

/// The answer to a `GET` or `HEAD` request for immutable bytes.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status: 200, 206, 304, 412 or 416.
    pub status: StatusCode,
    /// The bytes to stream; `None` for no body, as with 304, 412 and 416.
    pub range: Option<Range<u64>>,
    /// `ETag` and `Accept-Ranges`, and depending on the status `Content-Length` and `Content-Range`.
    pub headers: HeaderMap,
}

/// Decides in the order of RFC 9110 §13.2.2: If-Match, If-None-Match, then Range under If-Range. `etag` must be strong.
/// As there is no Last-Modified, a date in If-Range never matches, and everything is sent.
pub fn decide(method: &Method, request: &HeaderMap, etag: &ETag, len: u64) -> Answer {
    // What cannot be read as the header that it claims to be is a precondition that does not hold.
    let matches = request.typed_get::<IfMatch>().is_some_and(|given| given.precondition_passes(etag));
    if request.contains_key(IF_MATCH) && !matches {
        return Answer::bare(StatusCode::PRECONDITION_FAILED, etag);
    }
    if request.typed_get::<IfNoneMatch>().is_some_and(|known| !known.precondition_passes(etag)) {
        return Answer::bare(StatusCode::NOT_MODIFIED, etag);
    }
    match asked(method, request, etag, len) {
        Asked::Whole => Answer::whole(etag, len),
        Asked::Part(range) => Answer::part(range, etag, len),
        Asked::Unsatisfiable => {
            Answer::bare(StatusCode::RANGE_NOT_SATISFIABLE, etag).with(ContentRange::unsatisfied_bytes(len))
        }
    }
}

/// The range that is asked for. Range counts for GET only, and only if If-Range holds.
fn asked(method: &Method, request: &HeaderMap, etag: &ETag, len: u64) -> Asked {
    let mut lines = request.get_all(RANGE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return Asked::Whole };
    let unchanged = request.typed_get::<IfRange>().is_some_and(|given| !given.is_modified(Some(etag), None));
    let fresh = unchanged || !request.contains_key(IF_RANGE);
    match line.to_str() {
        Ok(text) if method == Method::GET && fresh => parse_range(text, len),
        _ => Asked::Whole,
    }
}

impl Answer {
    fn bare(status: StatusCode, etag: &ETag) -> Self {
        Self { status, range: None, headers: HeaderMap::new() }.with(etag.clone())
    }

    fn whole(etag: &ETag, len: u64) -> Self {
        let answer = Self { range: Some(0..len), ..Self::bare(StatusCode::OK, etag) };
        answer.with(AcceptRanges::bytes()).with(ContentLength(len))
    }

    fn part(range: Range<u64>, etag: &ETag, len: u64) -> Self {
        let size = ContentLength(range.end - range.start);
        let place = ContentRange::bytes(range.clone(), len);
        let answer = Self { range: Some(range), ..Self::bare(StatusCode::PARTIAL_CONTENT, etag) };
        let answer = answer.with(AcceptRanges::bytes()).with(size);
        // Fails only for a range without an end.
        place.map_or(answer.clone(), |place| answer.with(place))
    }

    fn with(mut self, header: impl Header) -> Self {
        self.headers.typed_insert(header);
        self
    }

    /// The response. `body` must stream [`Answer::range`], or be empty for HEAD. 412 and 416 become problems.
    pub(crate) fn respond(self, body: Body) -> Response {
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
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use axum::http::{
        HeaderName, HeaderValue,
        header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_NONE_MATCH},
    };

    use super::*;

    fn etag() -> ETag {
        "\"abc\"".parse().unwrap()
    }

    const fn one(range: Range<u64>) -> Asked {
        Asked::Part(range)
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
            ("bytes=0-1, 5-6", Asked::Whole),
            ("bytes=0-1,,5-6", Asked::Whole),
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

    /// Appends the headers, so that one may occur twice.
    fn answer(method: Method, headers: &[(HeaderName, &'static str)]) -> (u16, Option<Range<u64>>) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_static(value));
        }
        let answer = decide(&method, &map, &etag(), 100);
        (answer.status.as_u16(), answer.range)
    }

    #[test]
    fn f70_preconditions_come_before_ranges() {
        let range = (RANGE, "bytes=0-9");
        let table: [(&[_], _); 19] = [
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
            (&[(IF_MATCH, "W/\"abc\"")], (412, None)),
            (&[(IF_MATCH, "abc")], (412, None)),
            (&[(IF_MATCH, "\"x\", \"abc\"")], (200, Some(0..100))),
            (&[(IF_NONE_MATCH, "\"x,\"abc\"")], (200, Some(0..100))),
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
        let response = decide(&Method::GET, &headers, &etag(), 100).respond(Body::from("x"));
        assert_eq!(response.status(), 206);
        assert_eq!(response.headers()[CONTENT_RANGE], "bytes 99-99/100");
        assert_eq!(response.headers()[CONTENT_LENGTH], "1");
        assert_eq!(response.headers()[ETAG], "\"abc\"");
    }

    #[test]
    fn f70_a_range_past_the_end_is_told_the_length() {
        let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=100-"))]);
        let response = decide(&Method::GET, &headers, &etag(), 100).respond(Body::empty());
        assert_eq!(
            (response.status().as_u16(), &response.headers()[CONTENT_RANGE]),
            (416, &HeaderValue::from_static("bytes */100"))
        );
    }
}
