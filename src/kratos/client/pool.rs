//! Connections to Kratos, kept for the next call, and for a minute at most: a name may move to another host while the one it
//! left still answers.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper_util::{
    client::legacy::{self, ResponseFuture, connect::Connect},
    rt::{TokioExecutor, TokioTimer},
};

/// No call goes by connections from longer ago. It is half of the time after which Kratos closes one that hears nothing.
const LIFETIME: Duration = Duration::from_secs(60);

/// The connections of this minute; those of the last one end with their calls.
#[derive(Debug)]
pub(super) struct Pool<C> {
    connector: C,
    current: ArcSwap<Connections<C>>,
}

#[derive(Debug)]
struct Connections<C> {
    client: legacy::Client<C, Empty<Bytes>>,
    since: SystemTime,
}

impl<C: Connect + Clone + Send + Sync + 'static> Pool<C> {
    /// Connects when it is first asked.
    pub(super) fn new(connector: C) -> Self {
        let none_yet = Connections::new(connector.clone(), SystemTime::UNIX_EPOCH);
        Self {
            connector,
            current: ArcSwap::from_pointee(none_yet),
        }
    }

    /// Sends it by a connection that was opened within this minute.
    pub(super) fn request(
        &self,
        request: Request<Empty<Bytes>>,
        now: SystemTime,
    ) -> ResponseFuture {
        // Two that find it over at once both renew it, and the call that loses goes by connections of its own.
        if self.current.load().is_over(now) {
            let next = Connections::new(self.connector.clone(), now);
            self.current.store(Arc::new(next));
        }
        self.current.load().client.request(request)
    }
}

impl<C: Connect + Clone> Connections<C> {
    fn new(connector: C, since: SystemTime) -> Self {
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(LIFETIME)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self { client, since }
    }

    /// A clock that was set back by a minute ends them as well.
    fn is_over(&self, now: SystemTime) -> bool {
        let age = now.duration_since(self.since);
        age.unwrap_or_else(|set_back| set_back.duration()) >= LIFETIME
    }
}

#[cfg(test)]
mod tests {
    use std::{
        array,
        convert::Infallible,
        future::{Ready, ready},
        net::SocketAddr,
        sync::Mutex,
        task::{Context, Poll},
    };

    use http_body_util::BodyExt;
    use hyper_util::client::legacy::connect::{HttpConnector, dns::Name};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        sync::Notify,
        task::JoinHandle,
    };
    use tower_service::Service;

    use super::*;

    /// A name whose host is chosen by the test.
    #[derive(Clone, Debug)]
    struct Moving(Arc<Mutex<SocketAddr>>);

    impl Moving {
        fn to(&self, host: &Host) {
            *self.0.lock().unwrap() = host.address;
        }
    }

    impl Service<Name> for Moving {
        type Response = array::IntoIter<SocketAddr, 1>;
        type Error = Infallible;
        type Future = Ready<Result<Self::Response, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Name) -> Self::Future {
            ready(Ok([*self.0.lock().unwrap()].into_iter()))
        }
    }

    /// Takes one connection, and answers whatever is asked there with its own name until it is closed.
    struct Host {
        address: SocketAddr,
        asked: Arc<Notify>,
        may_answer: Arc<Notify>,
        serving: JoinHandle<()>,
    }

    impl Host {
        async fn start(name: &'static str) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (asked, may_answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
            let (told, waits) = (Arc::clone(&asked), Arc::clone(&may_answer));
            let serving = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{name}");
                while stream.read(&mut [0; 1024]).await.unwrap() > 0 {
                    told.notify_one();
                    waits.notified().await;
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
            Self {
                address,
                asked,
                may_answer,
                serving,
            }
        }
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600 + seconds)
    }

    async fn ask(pool: &Pool<HttpConnector<Moving>>, seconds: u64) -> Bytes {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = "http://kratos.test/".parse().unwrap();
        let answer = pool.request(request, at(seconds)).await.unwrap();
        answer.into_body().collect().await.unwrap().to_bytes()
    }

    async fn two_hosts() -> (Host, Host, Moving, Pool<HttpConnector<Moving>>) {
        let (first, second) = (Host::start("1").await, Host::start("2").await);
        let name = Moving(Arc::new(Mutex::new(first.address)));
        let pool = Pool::new(HttpConnector::new_with_resolver(name.clone()));
        (first, second, name, pool)
    }

    #[tokio::test]
    async fn a_name_that_moves_is_followed_within_a_minute_by_connections_that_are_never_idle() {
        let (first, second, name, pool) = two_hosts().await;
        for seconds in [0, 20, 40, 59] {
            first.may_answer.notify_one();
            assert_eq!(ask(&pool, seconds).await, "1", "at {seconds} s");
            name.to(&second);
        }
        for seconds in [60, 80, 119] {
            second.may_answer.notify_one();
            assert_eq!(ask(&pool, seconds).await, "2", "at {seconds} s");
        }
        first.serving.await.expect("its connection is closed");
    }

    #[tokio::test]
    async fn a_call_that_is_under_way_when_the_minute_ends_is_answered() {
        let (first, second, name, pool) = two_hosts().await;
        let later = async {
            first.asked.notified().await;
            name.to(&second);
            second.may_answer.notify_one();
            let answer = ask(&pool, 60).await;
            first.may_answer.notify_one();
            answer
        };
        let (early, later) = tokio::join!(ask(&pool, 0), later);
        assert_eq!((&early[..], &later[..]), (&b"1"[..], &b"2"[..]));
        first.serving.await.expect("its connection is closed");
    }

    #[tokio::test]
    async fn a_minute_is_counted_from_the_first_call_and_by_a_clock_that_may_be_set_back() {
        let connections = Connections::new(HttpConnector::new(), at(100));
        for (seconds, is_over) in [
            (100, false),
            (159, false),
            (160, true),
            (99, false),
            (40, true),
        ] {
            assert_eq!(connections.is_over(at(seconds)), is_over, "at {seconds} s");
        }
    }
}
