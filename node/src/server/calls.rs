//! What every call passes through: the budget, the limit of calls of its connection, and the limits of
//! time.

use std::{
    convert::Infallible,
    future::Future,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Request, Response};
use hyper::body::Incoming;
use rootfold_proto::reason::Reason;
use tokio::{sync::Semaphore, time::timeout};
use tonic::{body::Body, service::Routes, Status};
use tonic_web::GrpcWebService;

use super::refusal::refuse;
use tower::Service;

use super::{
    activity::Activity,
    budget::{Budget, Metered, Upload, MESSAGE_ROOM, SMALL_ROOM},
    limits::Limits,
    query::WATCH_PATH,
    stall::Progress,
    web::Web,
};

/// The address of the caller; `None` if the transport has none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller(pub(super) Option<IpAddr>);

/// The service of one connection.
#[derive(Clone)]
pub(super) struct Calls {
    pub(super) routes: GrpcWebService<Routes>,
    pub(super) web: Web,
    pub(super) budget: Budget,
    pub(super) limits: Arc<Limits>,
    pub(super) caller: Caller,
    pub(super) running: Arc<Semaphore>,
    pub(super) activity: Activity,
}

type Answer = Response<Metered<Body>>;

impl hyper::service::Service<Request<Incoming>> for Calls {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let calls = self.clone();
        Box::pin(async move { Ok(calls.answer(request).await) })
    }
}

impl Calls {
    async fn answer(self, request: Request<Incoming>) -> Answer {
        let web = self.web.clone();
        let origin = web.origin(request.headers());
        let mut answer = match web.preflight(&request) {
            Some(answer) => answer.map(|body| Metered::new(body, None, Progress::current())),
            None => self.run(request).await,
        };
        web.allow(origin, answer.headers_mut());
        answer
    }

    async fn run(self, mut request: Request<Incoming>) -> Answer {
        let busy = self.activity.begin();
        let progress = Progress::current();
        progress.go_on();
        request.extensions_mut().insert(self.caller);
        let path = request.uri().path();
        let small = path.starts_with("/grpc.") || path == WATCH_PATH;
        let room = if small { SMALL_ROOM } else { MESSAGE_ROOM };
        // Waits without holding more than the request's headers.
        let running = timeout(self.limits.queue, self.running.clone().acquire_owned()).await;
        let Ok(Ok(running)) = running else {
            let status = refuse(Reason::Busy, "too many calls of this connection");
            return Metered::of(status, progress);
        };
        let mut room = match self.budget.reserve(room, self.limits.queue).await {
            Ok(room) => room,
            Err(status) => return Metered::of(status, progress),
        };
        room.keep((running, busy));
        let room = Arc::new(Mutex::new(room));
        if let Some(file) = self.web.file(&request).await {
            return file.map(|body| Metered::new(body, Some(room), progress));
        }
        let upload = self.limits.upload;
        let held = room.clone();
        let request = request.map(|body| Body::new(Upload::new(body, held, upload)));
        let answer = timeout(self.limits.call, self.routes.clone().call(request)).await;
        let response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => late(self.limits.call).into_http(),
        };
        response.map(|body| Metered::new(body, Some(room), progress))
    }
}

impl Metered<Body> {
    /// The response of a call that has no room.
    fn of(status: Status, progress: Progress) -> Answer {
        status.into_http().map(|body| Metered::new(body, None, progress))
    }
}

fn late(limit: Duration) -> Status {
    refuse(Reason::TooLate, format!("no answer within {} s", limit.as_secs()))
}
