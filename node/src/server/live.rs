//! What can be changed while a server runs.

use std::sync::{Arc, PoisonError, RwLock};

use super::limits::Limits;
use crate::{tls::ServerTls, token::Token};

/// What can be changed while a server runs. Clones share it.
#[derive(Clone, Default)]
pub struct Live {
    settings: Arc<RwLock<Settings>>,
}

#[derive(Default)]
struct Settings {
    connections: usize,
    connections_per_address: usize,
    tls: Option<ServerTls>,
    submit_token: Option<Token>,
}

impl Live {
    fn read<T>(&self, read: impl FnOnce(&Settings) -> T) -> T {
        read(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Replaces the limits of connections. Open connections stay.
    pub fn set_limits(&self, limits: &Limits) {
        self.change(|settings| {
            settings.connections = limits.connections;
            settings.connections_per_address = limits.connections_per_address;
        });
    }

    /// Replaces how TLS is done with new connections; `None` is without TLS.
    pub fn set_tls(&self, tls: Option<ServerTls>) {
        self.change(|settings| settings.tls = tls);
    }

    /// Takes ops only with this token from now on; `None` takes them from everyone.
    pub fn set_submit_token(&self, token: Option<Token>) {
        self.change(|settings| settings.submit_token = token);
    }

    pub(super) fn submit_token(&self) -> Option<Token> {
        self.read(|settings| settings.submit_token.clone())
    }

    /// The limits of all connections and of those of one address.
    pub(super) fn connections(&self) -> (usize, usize) {
        self.read(|settings| (settings.connections, settings.connections_per_address))
    }

    pub(super) fn tls(&self) -> Option<ServerTls> {
        self.read(|settings| settings.tls.clone())
    }
}
