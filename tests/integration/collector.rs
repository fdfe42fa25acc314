//! A collector of traces: what arrives over OTLP, decoded.

use std::convert::Infallible;

use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message as _;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use crate::serving::PATIENCE;

/// A running collector; it stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) url: String,
    batches: watch::Receiver<Vec<Batch>>,
    serving: JoinHandle<()>,
}

/// One message.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// Where it was sent to.
    pub(crate) target: String,
    /// As it came.
    pub(crate) bytes: Bytes,
}

impl Batch {
    pub(crate) fn decoded(&self) -> ExportTraceServiceRequest {
        ExportTraceServiceRequest::decode(&*self.bytes).unwrap()
    }
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, batches) = watch::channel(Vec::new());
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, sender.clone()));
            }
        });
        Self {
            url,
            batches,
            serving,
        }
    }

    /// All that came so far.
    pub(crate) fn batches(&self) -> Vec<Batch> {
        self.batches.borrow().clone()
    }

    /// Every span that came so far.
    pub(crate) fn spans(&self) -> Vec<Span> {
        spans(&self.batches.borrow())
    }

    /// Every span, once this holds of them.
    pub(crate) async fn until(&self, is_enough: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let mut batches = self.batches.clone();
        let enough = batches.wait_for(|batches| is_enough(&spans(batches)));
        let batches = tokio::time::timeout(PATIENCE, enough).await.unwrap();
        spans(&batches.unwrap())
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn spans(batches: &[Batch]) -> Vec<Span> {
    let resources = batches
        .iter()
        .flat_map(|batch| batch.decoded().resource_spans);
    let scopes = resources.flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

async fn connection(stream: TcpStream, batches: watch::Sender<Vec<Batch>>) {
    let service = service_fn(|request| receive(request, &batches));
    // An error ends the connection, and nothing else.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// An empty answer says that all is well.
async fn receive(
    request: Request<Incoming>,
    batches: &watch::Sender<Vec<Batch>>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let target = request.uri().to_string();
    if let Ok(body) = request.into_body().collect().await {
        let bytes = body.to_bytes();
        batches.send_modify(|batches| batches.push(Batch { target, bytes }));
    }
    Ok(Response::new(Empty::new()))
}

/// A text or a number under this name, as text.
pub(crate) fn attribute(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{name}: {other:?}"),
    }
}
