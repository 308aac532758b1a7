//! What a node does for pages in browsers besides gRPC-Web: it says which origins may call it, and serves
//! the files of one folder.

mod cors;
mod files;

use std::{path::Path, sync::Arc};

use http::{HeaderMap, HeaderValue, Request, Response};
use tonic::body::Body;

use cors::Origins;
pub use cors::{Origin, OriginError};
use files::Folder;
pub use files::WebError;

/// What a node does for browsers. Cheap to clone. The default lets in pages of the node's own origin alone and
/// serves no files.
#[derive(Debug, Clone, Default)]
pub struct Web {
    origins: Arc<Origins>,
    folder: Option<Arc<Folder>>,
}

impl Web {
    /// Pages of these origins may call the node.
    pub fn new(origins: Vec<Origin>) -> Web {
        Web { origins: Arc::new(Origins(origins)), folder: None }
    }

    /// Also serves the files of a folder.
    ///
    /// # Errors
    /// [`WebError`] if there is no such folder.
    pub fn with_folder(self, folder: &Path) -> Result<Web, WebError> {
        Ok(Web { folder: Some(Arc::new(Folder::new(folder)?)), ..self })
    }

    /// The origin to name in the answer, if pages of the caller's origin may call.
    pub(super) fn origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        self.origins.allowed(headers)
    }

    /// The answer to the question of a browser whether it may call.
    pub(super) fn preflight<B>(&self, request: &Request<B>) -> Option<Response<Body>> {
        cors::preflight(request)
    }

    /// Lets the browser give the answer to the page.
    pub(super) fn allow(&self, origin: Option<HeaderValue>, headers: &mut HeaderMap) {
        cors::allow(origin, headers);
    }

    /// The file that the request names; `None` if it is not a request for files.
    pub(super) async fn file<B>(&self, request: &Request<B>) -> Option<Response<Body>> {
        self.folder.as_ref()?.serve(request.method(), request.uri(), request.headers()).await
    }
}
