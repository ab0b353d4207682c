//! Connections: taken, encrypted or not, limited in time, finished when the server stops.
//!
//! HTTP/1.1 only: telling it from HTTP/2 means to read first bytes for which there is no time
//! limit (hyper issue 3756). What is inside a request is not looked at here.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;

use crate::tls::Tls;

/// How connections are taken.
#[derive(Debug, Clone)]
pub struct Front {
    /// With what they are encrypted; `None` is plain HTTP.
    pub tls: Option<Tls>,
    /// How long a caller may take for the TLS handshake, for the head of a request, and between two
    /// requests. Then the connection is closed.
    pub patience: Duration,
    /// How long open requests may take once the server is told to stop.
    pub drain_for: Duration,
}

impl Default for Front {
    fn default() -> Self {
        Self {
            tls: None,
            patience: Duration::from_secs(10),
            drain_for: Duration::from_secs(20),
        }
    }
}

impl Front {
    /// Answers on `listener` until `stop` resolves, then lets open requests finish.
    ///
    /// # Errors
    /// The listener failed.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        router: Router,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        tracing::trace!(tls = self.tls.is_some(), patience = ?self.patience, "connections are taken");
        let handle = Handle::new();
        let server = Server::<SocketAddr>::from_listener(listener).handle(handle.clone());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        match self.tls.clone() {
            Some(tls) => {
                let acceptor = RustlsAcceptor::new(RustlsConfig::from_config(tls.into_config()))
                    .handshake_timeout(self.patience)
                    .acceptor(NoDelayAcceptor::new());
                let server = self.limited(server.acceptor(acceptor));
                self.until(stop, &handle, server.serve(service)).await
            }
            None => {
                let server = self.limited(server.acceptor(NoDelayAcceptor::new()));
                self.until(stop, &handle, server.serve(service)).await
            }
        }
    }

    /// Without a timer hyper has no time limits at all.
    fn limited<A>(&self, server: Server<SocketAddr, A>) -> Server<SocketAddr, A> {
        let mut server = server.http1_only();
        server
            .http_builder()
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.patience);
        server
    }

    async fn until(
        &self,
        stop: impl Future<Output = ()>,
        handle: &Handle<SocketAddr>,
        serving: impl Future<Output = io::Result<()>>,
    ) -> io::Result<()> {
        tokio::select! {
            ended = serving => ended,
            () = async {
                stop.await;
                tracing::info!("stopping: open requests are finished, new ones are not taken");
                handle.graceful_shutdown(None);
                tokio::time::sleep(self.drain_for).await;
            } => {
                tracing::warn!("stopped with requests still open");
                handle.shutdown();
                Ok(())
            }
        }
    }
}
