//! Where published files are: an address, and reading and writing there.

use std::{fmt, path::Path as FilePath, str::FromStr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt};
use object_store::{
    aws::AmazonS3Builder, http::HttpBuilder, local::LocalFileSystem, path::Path, Attribute,
    Attributes, ClientOptions, Error as HostError, ObjectStore, ObjectStoreExt, PutOptions,
    RetryConfig,
};
use url::{ParseError, Url};

use super::error::{FilesError, FilesUrlError};

/// The time limit of one request.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// The time in which a request is repeated after failures that may pass.
const RETRY_LIMIT: Duration = Duration::from_secs(20);
const RETRIES: usize = 3;

/// The base URL of published files: `file:///…`, `s3://bucket/…`, or `http(s)://host/…` with a path, without which
/// it is the address of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesUrl(Url);

impl FromStr for FilesUrl {
    type Err = FilesUrlError;

    fn from_str(text: &str) -> Result<FilesUrl, FilesUrlError> {
        let named = || text.trim().escape_debug().to_string();
        let form = |what: ParseError| FilesUrlError::Form { text: named(), what: what.to_string() };
        let url = Url::parse(text.trim()).map_err(form)?;
        let path = url.path().trim_matches('/');
        let good = match url.scheme() {
            "file" => url.host_str().is_none() && !path.is_empty(),
            "s3" => url.host_str().is_some(),
            "http" | "https" => url.host_str().is_some() && !path.is_empty(),
            _ => false,
        };
        let plain = url.query().is_none() && url.fragment().is_none();
        if good && plain {
            Ok(FilesUrl(url))
        } else {
            Err(FilesUrlError::Scheme { text: named() })
        }
    }
}

impl fmt::Display for FilesUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl FilesUrl {
    /// A base URL, or a folder beneath `cwd` if the text has no scheme.
    ///
    /// # Errors
    /// [`FilesUrlError`].
    pub fn of_target(text: &str, cwd: &FilePath) -> Result<FilesUrl, FilesUrlError> {
        if text.contains("://") || text.trim().is_empty() {
            return text.parse();
        }
        let folder = cwd.join(text);
        let scheme = || FilesUrlError::Scheme { text: text.escape_debug().to_string() };
        Ok(FilesUrl(Url::from_directory_path(folder).map_err(|()| scheme())?))
    }
}

/// A place of files.
#[derive(Debug, Clone)]
pub(super) struct Place {
    store: Arc<dyn ObjectStore>,
    base: Path,
    /// Whether files have headers for caches.
    cached: bool,
}

impl Place {
    pub(super) fn new(FilesUrl(url): &FilesUrl) -> Result<Place, FilesError> {
        let failed = |source| FilesError::Host { name: url.to_string(), source };
        let bad = |e: object_store::path::Error| failed(e.into());
        let base = Path::from_url_path(url.path()).map_err(bad)?;
        let options = ClientOptions::new().with_allow_http(true).with_timeout(REQUEST_LIMIT);
        let retry =
            RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_LIMIT, ..Default::default() };
        // reqwest takes the provider of the process. Another part may have chosen it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store: Arc<dyn ObjectStore> = match url.scheme() {
            "file" => Arc::new(LocalFileSystem::new()),
            "s3" => {
                let builder = AmazonS3Builder::from_env().with_url(url.as_str());
                let builder = builder.with_client_options(options).with_retry(retry);
                Arc::new(builder.build().map_err(failed)?)
            }
            _ => {
                let host = &url[..url::Position::BeforePath];
                let builder = HttpBuilder::new().with_url(host).with_client_options(options);
                Arc::new(builder.with_retry(retry).build().map_err(failed)?)
            }
        };
        Ok(Place { store, base, cached: url.scheme() == "s3" })
    }

    fn path(&self, name: &str) -> Path {
        let parts = name.split('/').map(ToOwned::to_owned);
        parts.fold(self.base.clone(), |path, part| path.join(part))
    }

    /// A file of at most `most` bytes; `None` if it is not there.
    pub(super) async fn get(&self, name: &str, most: usize) -> Result<Option<Bytes>, FilesError> {
        let failed = |source| FilesError::Host { name: name.to_owned(), source };
        let file = match self.store.get(&self.path(name)).await {
            Err(HostError::NotFound { .. }) => return Ok(None),
            file => file.map_err(failed)?,
        };
        let (mut parts, mut content) = (file.into_stream(), BytesMut::new());
        while let Some(part) = parts.try_next().await.map_err(failed)? {
            if content.len() + part.len() > most {
                return Err(FilesError::TooLong { name: name.to_owned(), limit: most });
            }
            content.extend_from_slice(&part);
        }
        Ok(Some(content.freeze()))
    }

    /// Writes a file as a whole. One that `is_final` is never replaced by another.
    pub(super) async fn put(
        &self,
        name: &str,
        content: Vec<u8>,
        is_final: bool,
    ) -> Result<(), FilesError> {
        let mut attributes = Attributes::new();
        if self.cached {
            let caching = if is_final { "public, max-age=31536000, immutable" } else { "no-cache" };
            attributes.insert(Attribute::CacheControl, caching.into());
        }
        let options = PutOptions { attributes, ..PutOptions::default() };
        let put = self.store.put_opts(&self.path(name), content.into(), options).await;
        put.map(drop).map_err(|source| FilesError::Host { name: name.to_owned(), source })
    }

    /// Removes a file, if it is there.
    pub(super) async fn delete(&self, name: &str) -> Result<(), FilesError> {
        match self.store.delete(&self.path(name)).await {
            Ok(()) | Err(HostError::NotFound { .. }) => Ok(()),
            Err(source) => Err(FilesError::Host { name: name.to_owned(), source }),
        }
    }

    /// The names of all files.
    pub(super) async fn list(&self) -> Result<Vec<String>, FilesError> {
        let listed = self.store.list(Some(&self.base)).filter_map(|file| async {
            match file {
                Ok(file) => {
                    let parts = file.location.prefix_match(&self.base)?;
                    let parts: Vec<String> = parts.map(|part| part.as_ref().to_owned()).collect();
                    Some(Ok(parts.join("/")))
                }
                // A folder that is not there yet.
                Err(HostError::NotFound { .. }) => None,
                Err(source) => Some(Err(source)),
            }
        });
        let names: Result<Vec<String>, HostError> = listed.try_collect().await;
        names.map_err(|source| FilesError::Host { name: "the list of files".to_owned(), source })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_path_are_files() {
        for text in
            ["file:///srv/space", "s3://bucket", "s3://b/space/", "http://h:81/x", "https://h/a/b"]
        {
            assert_eq!(text.parse::<FilesUrl>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "node",
            ":7340",
            "http://h:81",
            "https://h/",
            "ftp://h/x",
            "file:///",
            "http://h/x?y",
            "h/x",
        ] {
            assert!(text.parse::<FilesUrl>().is_err(), "{text}");
        }
        let folder = FilesUrl::of_target("out", FilePath::new("/srv")).unwrap();
        assert_eq!(folder.to_string(), "file:///srv/out/");
    }
}
