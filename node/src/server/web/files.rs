//! The files of one folder.

use std::{
    io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use bytes::Bytes;
use http::{header, HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use http_body_util::Full;
use thiserror::Error;
use tonic::body::Body;

/// The largest file that is served, in bytes. It is read as a whole.
const MAX_FILE: u64 = 16 << 20;
/// The file of a folder.
const INDEX: &str = "index.html";

/// Why a folder cannot be served.
#[derive(Debug, Error)]
#[error("the folder {path} cannot be served: {source}")]
pub struct WebError {
    path: String,
    source: io::Error,
}

/// A folder whose files are served.
#[derive(Debug)]
pub(super) struct Folder {
    /// Without links.
    root: PathBuf,
}

/// A file to be served.
struct File {
    path: PathBuf,
    length: u64,
    /// Changes when the file does.
    tag: HeaderValue,
}

/// What a path names.
enum Named {
    File(File),
    /// A folder, without the slash after which relative links work.
    Folder,
}

impl Folder {
    pub(super) fn new(folder: &Path) -> Result<Folder, WebError> {
        let failed = |source| WebError { path: folder.display().to_string(), source };
        let root = folder.canonicalize().map_err(failed)?;
        if !root.is_dir() {
            return Err(failed(io::ErrorKind::NotADirectory.into()));
        }
        Ok(Folder { root })
    }

    /// The answer to a request for a file; `None` for other requests.
    pub(super) async fn serve(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Option<Response<Body>> {
        // Calls of gRPC and gRPC-Web are POST.
        if method != Method::GET && method != Method::HEAD {
            return None;
        }
        let file = match self.named(uri.path()).await {
            Some(Named::File(file)) => file,
            Some(Named::Folder) => return Some(moved(uri.path())),
            None => return Some(status(StatusCode::NOT_FOUND)),
        };
        let unchanged = headers.get(header::IF_NONE_MATCH) == Some(&file.tag);
        let mut response = if unchanged {
            status(StatusCode::NOT_MODIFIED)
        } else if method == Method::HEAD {
            Response::new(Body::empty())
        } else {
            match tokio::fs::read(&file.path).await {
                Ok(content) if content.len() as u64 == file.length => {
                    Response::new(Body::new(Full::new(Bytes::from(content))))
                }
                // It has changed since.
                _ => return Some(status(StatusCode::SERVICE_UNAVAILABLE)),
            }
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(&file.path)));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if !unchanged {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(file.length));
        }
        headers.insert(header::ETAG, file.tag);
        Some(response)
    }

    /// What the path of a request names; `None` if nothing that may be served.
    async fn named(&self, path: &str) -> Option<Named> {
        let wanted = self.root.join(relative(path)?);
        let (wanted, as_folder) = match tokio::fs::metadata(&wanted).await.ok()?.is_dir() {
            true => (wanted.join(INDEX), true),
            false => (wanted, false),
        };
        // Equal only without links: a link could lead out of the folder.
        if tokio::fs::canonicalize(&wanted).await.ok()? != wanted {
            return None;
        }
        match (as_folder, path.ends_with('/')) {
            (true, false) => return Some(Named::Folder),
            // As if the file were a folder.
            (false, true) => return None,
            _ => {}
        }
        let metadata = tokio::fs::metadata(&wanted).await.ok()?;
        if !metadata.is_file() || metadata.len() > MAX_FILE {
            return None;
        }
        let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
        let tag = HeaderValue::from_str(&format!("\"{modified:x}-{:x}\"", metadata.len())).ok()?;
        Some(Named::File(File { path: wanted, length: metadata.len(), tag }))
    }
}

/// The path of a file below the folder. `None` if a part of it begins with a dot, which is a hidden file or
/// leads upwards, or cannot be a file's name.
fn relative(path: &str) -> Option<PathBuf> {
    let mut relative = PathBuf::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let name = decoded(part)?;
        let refused = |c: char| c == '/' || c == '\\' || c == ':' || c.is_control();
        if name.is_empty() || name.starts_with('.') || name.contains(refused) {
            return None;
        }
        relative.push(name);
    }
    Some(relative)
}

/// A part of a path without percent encoding; `None` if it is not UTF-8.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = after.split_first_chunk::<2>()?;
        let mut byte = [0];
        hex::decode_to_slice(digits, &mut byte).ok()?;
        bytes.extend(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// The media type by the end of the name.
fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "txt" | "md" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn status(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = code;
    response
}

/// To the same path with a slash. A path of several slashes at its beginning would name another host.
fn moved(path: &str) -> Response<Body> {
    let mut response = status(StatusCode::MOVED_PERMANENTLY);
    match HeaderValue::from_str(&format!("/{}/", path.trim_start_matches('/'))) {
        Ok(to) => {
            response.headers_mut().insert(header::LOCATION, to);
            response
        }
        Err(_) => status(StatusCode::NOT_FOUND),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_folder() {
        for (path, file) in [
            ("/", ""),
            ("/a/b.js", "a/b.js"),
            ("//a//b", "a/b"),
            ("/a%20b", "a b"),
            ("/%C3%A9", "é"),
        ] {
            assert_eq!(relative(path), Some(PathBuf::from(file)), "{path}");
        }
        for path in [
            "/..",
            "/a/../b",
            "/%2e%2e/b",
            "/a%2f..%2fb",
            "/.git/config",
            "/a/.env",
            "/a%5cb",
            "/a%00",
            "/%",
            "/%zz",
            "/%ff",
            "/c%3a",
        ] {
            assert_eq!(relative(path), None, "{path}");
        }
    }

    #[tokio::test]
    async fn links_are_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "s").unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("page.html"), "p").unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        std::fs::write(folder.path().join("sub/index.html"), "i").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink(outside.path(), folder.path().join("out")).unwrap();
            symlink(outside.path().join("secret"), folder.path().join("link")).unwrap();
        }
        let web = Folder::new(folder.path()).unwrap();
        let get = |path: &str| {
            let uri: Uri = path.parse().unwrap();
            let web = &web;
            async move {
                web.serve(&Method::GET, &uri, &HeaderMap::new()).await.unwrap().status().as_u16()
            }
        };
        assert_eq!(get("/page.html").await, 200);
        assert_eq!(get("/sub/").await, 200);
        assert_eq!(get("/sub").await, 301);
        for path in ["/", "/out/secret", "/link", "/out/", "/none", "/page.html/x", "/page.html/"] {
            assert_eq!(get(path).await, 404, "{path}");
        }
        let page = Uri::from_static("/page.html");
        assert!(web.serve(&Method::POST, &page, &HeaderMap::new()).await.is_none());
        assert!(Folder::new(&folder.path().join("page.html")).is_err());
        assert!(Folder::new(&folder.path().join("none")).is_err());
    }
}
