//! `grpc.health.v1`, which the library answers: what it takes to hand a call over to it.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::{RecvStream, server::SendResponse};
use http::{Request, Response};
use hyper::body::{Body, Frame};
use tokio::sync::watch;
use tonic::codegen::Service;
use tonic_health::{
    ServingStatus,
    pb::health_server::{Health, HealthServer},
    server::HealthReporter,
};

use super::{super::door::told, tell};

/// Health of the door for the empty name and for this service: `NOT_SERVING` once `drain` holds true.
pub(super) async fn of(
    service: &'static str,
    drain: watch::Receiver<bool>,
) -> HealthServer<impl Health> {
    let (reporter, health) = tonic_health::server::health_reporter();
    report(&reporter, service, ServingStatus::Serving).await;
    tokio::spawn(async move {
        told(drain).await;
        report(&reporter, service, ServingStatus::NotServing).await;
    });
    health
}

async fn report(reporter: &HealthReporter, service: &str, status: ServingStatus) {
    for name in ["", service] {
        reporter.set_service_status(name, status).await;
    }
}

/// Answers a call about health, or says that nobody serves such a call.
pub(super) async fn answer(
    mut health: HealthServer<impl Health>,
    request: Request<RecvStream>,
    mut call: SendResponse<Bytes>,
) {
    let Ok(response) = health.call(request.map(Received)).await;
    tell(pass_on(response, &mut call).await);
}

async fn pass_on(
    response: Response<tonic::body::Body>,
    call: &mut SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    let (head, body) = response.into_parts();
    let head = Response::from_parts(head, ());
    if body.is_end_stream() {
        return call.send_response(head, true).map(|_| ());
    }
    let mut stream = call.send_response(head, false)?;
    let mut body = pin!(body);
    loop {
        let frame = tokio::select! {
            frame = poll_fn(|context| body.as_mut().poll_frame(context)) => frame,
            _ = poll_fn(|context| stream.poll_reset(context)) => return Ok(()),
        };
        let Some(Ok(frame)) = frame else {
            return stream.send_data(Bytes::new(), true);
        };
        match frame.into_data().map_err(Frame::into_trailers) {
            Ok(data) => stream.send_data(data, false)?,
            Err(Ok(trailers)) => return stream.send_trailers(trailers),
            Err(Err(_)) => {}
        }
    }
}

/// A call's body, as the library reads one.
struct Received(RecvStream);

impl Body for Received {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        let data = ready!(self.0.poll_data(context)).transpose()?;
        if let Some(data) = &data {
            self.0.flow_control().release_capacity(data.len())?;
        }
        Poll::Ready(data.map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
}
