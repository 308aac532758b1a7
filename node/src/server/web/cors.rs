//! Which pages may call: cross-origin resource sharing. A browser asks before a call with the content type of
//! gRPC-Web, and gives the answer to the page only if the node names the page's origin. It protects users of
//! browsers, not the node: other programs send whatever they like.

use std::{fmt, str::FromStr};

use http::{header, HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tonic::body::Body;

/// The headers of a call that gRPC-Web clients send.
const REQUEST_HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, grpc-timeout, x-grpc-web, x-user-agent");
/// The headers of an answer that they read.
const ANSWER_HEADERS: HeaderValue =
    HeaderValue::from_static("grpc-status, grpc-message, grpc-status-details-bin");
/// The seconds for which a browser remembers the answer. Longer than a day no browser does.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

/// An origin whose pages may call, or `*` for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(HeaderText);

/// A text that a header can have.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HeaderText(String, HeaderValue);

/// The text is not an origin.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{text:?} is not an origin: expected https://HOST, http://HOST, each with or without :PORT, or *")]
pub struct OriginError {
    /// The text.
    text: String,
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Origin, OriginError> {
        let refused = || OriginError { text: text.to_owned() };
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_host = |host: &str| {
            !host.is_empty()
                && host
                    .chars()
                    .all(|c| c.is_ascii_digit() || c.is_ascii_lowercase() || "-.:[]_".contains(c))
        };
        if text != "*" && !host.is_some_and(is_host) {
            return Err(refused());
        }
        let value = HeaderValue::from_str(text).map_err(|_| refused())?;
        Ok(Origin(HeaderText(text.to_owned(), value)))
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Origin, OriginError> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.0 .0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0 .0)
    }
}

/// The origins whose pages may call.
#[derive(Debug, Default)]
pub(super) struct Origins(pub(super) Vec<Origin>);

impl Origins {
    /// The origin of a request, if its pages may call.
    pub(super) fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        let fits = |allowed: &Origin| allowed.0 .0 == "*" || allowed.0 .1 == *origin;
        self.0.iter().any(fits).then(|| origin.clone())
    }
}

/// The answer to a question before a call. Without [`allow`] it allows nothing.
pub(super) fn preflight<B>(request: &Request<B>) -> Option<Response<Body>> {
    let asks = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    asks.then(|| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        let methods = HeaderValue::from_static("POST");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        response
    })
}

/// Names the origin in an answer.
pub(super) fn allow(origin: Option<HeaderValue>, headers: &mut HeaderMap) {
    let Some(origin) = origin else { return };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
    // A cache must not give the answer to pages of another origin.
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        for text in ["*", "https://a.example", "http://127.0.0.1:8000", "http://[::1]:8000"] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), text);
        }
        for text in
            ["", "a.example", "https://", "https://a.example/", "https://A.example", "ftp://a"]
        {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_named_origins_are_allowed() {
        let headers = |origin: &str| {
            HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_str(origin).unwrap())])
        };
        let (one, all) = ("https://a.example".parse().unwrap(), "*".parse().unwrap());
        let one = Origins(vec![one]);
        assert!(one.allowed(&headers("https://a.example")).is_some());
        assert!(one.allowed(&headers("https://b.example")).is_none());
        assert!(one.allowed(&HeaderMap::new()).is_none());
        assert!(Origins(vec![all]).allowed(&headers("https://b.example")).is_some());
        assert!(Origins::default().allowed(&headers("https://a.example")).is_none());
    }
}
