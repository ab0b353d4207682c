//! SIGTERM and SIGINT: the first lets open requests finish, the second does not wait for them.

use std::io;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::failure::Failure;
use crate::app::App;
use crate::front::Front;

/// The signals, listened for from here on.
pub(super) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Answers until a signal comes, then finishes what is open.
    pub(super) async fn serve(
        mut self,
        app: App,
        front: Front,
        listener: TcpListener,
    ) -> Result<(), Failure> {
        let (tell, told) = oneshot::channel::<()>();
        let serving = app.serve(front, listener, async move {
            // Told, or nobody is left to tell: either way it is over.
            let _told = told.await;
        });
        tokio::pin!(serving);
        let ended = tokio::select! {
            ended = &mut serving => ended,
            () = self.asked() => {
                // Taken by the server, unless it has ended by itself just now.
                let _sent = tell.send(());
                tokio::select! {
                    ended = serving => ended,
                    () = self.asked() => {
                        return Err(Failure::new("stopped at once; open requests were cut off"));
                    }
                }
            }
        };
        ended.map_err(|error| Failure::new("the server ended by itself").because(&error))
    }
}
