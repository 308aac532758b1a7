//! Addresses of nodes, as people write them.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::DEFAULT_PORT;

/// The host and the port of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A name, an IPv4 address, or an IPv6 address without brackets; empty if only a port was given.
    pub host: String,
    /// The port; [`DEFAULT_PORT`] unless one was given.
    pub port: u16,
    /// Whether connections to it use TLS: the address began with `https://`.
    pub tls: bool,
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// The text is empty.
    #[error("the address is empty: expected host, host:port, [IPv6]:port or :port")]
    Empty,
    /// Another scheme, or a path.
    #[error("{text}: expected host, host:port, [IPv6]:port or :port, without a scheme or a path")]
    Form {
        /// The text.
        text: String,
    },
    /// An IPv6 address without brackets: its end can be read as a port.
    #[error("{text}: write an IPv6 address in brackets, [ADDRESS] or [ADDRESS]:PORT")]
    Brackets {
        /// The text.
        text: String,
    },
    /// Not a port.
    #[error("{text}: {port:?} is not a port (0 to 65535)")]
    Port {
        /// The text.
        text: String,
        /// What stands for the port.
        port: String,
    },
    /// Port 0, which a server may ask the system for, but to which nobody can connect.
    #[error(
        "{text}: nobody can connect to port 0; only `serve --listen` takes it, for any free port"
    )]
    AnyPort {
        /// The text.
        text: String,
    },
}

impl FromStr for Address {
    type Err = AddressError;

    /// `host`, `host:port`, `[IPv6]`, `[IPv6]:port`, `:port`, each also after `http://`, or for TLS after
    /// `https://`.
    fn from_str(given: &str) -> Result<Address, AddressError> {
        let text = given.trim();
        let named = || text.escape_debug().to_string();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let (tls, rest) = match text.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix("http://").unwrap_or(text)),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let form = || AddressError::Form { text: named() };
        if rest.contains("://") {
            return Err(form());
        }
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(form)?;
                host.parse::<Ipv6Addr>().map_err(|_| form())?;
                let port = match port {
                    "" => None,
                    port => Some(port.strip_prefix(':').ok_or_else(form)?),
                };
                (host, port)
            }
            None if rest.matches(':').count() > 1 => {
                return Err(AddressError::Brackets { text: named() });
            }
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            },
        };
        let strange = |c: char| c.is_whitespace() || c.is_control() || "/?#@[]\\\"'".contains(c);
        if (host.is_empty() && port.is_none()) || host.contains(strange) {
            return Err(form());
        }
        let port = match port {
            None => DEFAULT_PORT,
            Some(port) => port_of(port).ok_or_else(|| AddressError::Port {
                text: named(),
                port: port.escape_debug().to_string(),
            })?,
        };
        Ok(Address { host: host.to_owned(), port, tls })
    }
}

/// A port: digits alone, without a sign.
fn port_of(text: &str) -> Option<u16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https://" } else { "" };
        write!(f, "{scheme}{}", self.authority())
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Address {
    /// The address of a node to connect to: as [`Address::from_str`], but with a port other than 0.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn of_node(text: &str) -> Result<Address, AddressError> {
        let address: Address = text.parse()?;
        if address.port == 0 {
            return Err(AddressError::AnyPort { text: text.trim().escape_debug().to_string() });
        }
        Ok(address)
    }

    /// The address for a connection: without a host it is this machine.
    #[must_use]
    pub fn to_connect(&self) -> Address {
        let host = if self.host.is_empty() { "localhost".to_owned() } else { self.host.clone() };
        Address { host, ..*self }
    }

    /// The host and the port alone.
    #[must_use]
    pub fn authority(&self) -> String {
        let Address { host, port, .. } = self;
        match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        for (text, host, port) in [
            ("node.example", "node.example", DEFAULT_PORT),
            ("node.example:81", "node.example", 81),
            ("http://node.example:81/", "node.example", 81),
            (" 127.0.0.1:0\n", "127.0.0.1", 0),
            ("[::1]:7000", "::1", 7000),
            ("[::1]", "::1", DEFAULT_PORT),
            (":7341", "", 7341),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.host.as_str(), address.port), (host, port), "{text:?}");
            let again: Address = address.to_string().parse().unwrap();
            assert_eq!(again, address);
        }
        let secure: Address = "https://[::1]".parse().unwrap();
        assert!(secure.tls && secure.to_string() == format!("https://[::1]:{DEFAULT_PORT}"));
        assert_eq!(secure.to_string().parse(), Ok(secure));
        assert!(!"http://node.example".parse::<Address>().unwrap().tls);
        assert_eq!(":81".parse::<Address>().unwrap().to_connect().to_string(), "localhost:81");
    }

    #[test]
    fn what_can_be_no_address() {
        for (text, said) in [
            ("", "empty"),
            ("  ", "empty"),
            ("https://", "without a scheme"),
            ("https://http://node.example", "without a scheme"),
            ("ftp://node.example", "without a scheme"),
            ("::1:7000", "brackets"),
            ("fe80::1", "brackets"),
            ("node.example:port", "not a port"),
            ("node.example:65536", "not a port"),
            ("node.example:+80", "not a port"),
            ("node.example:", "not a port"),
            ("[::1]:-1", "not a port"),
            ("node.example/path", "without a scheme"),
            ("[::1", "without a scheme"),
            ("[node]:1", "without a scheme"),
            ("a b", "without a scheme"),
            ("a\u{1b}[31m", "without a scheme"),
        ] {
            let e = text.parse::<Address>().unwrap_err().to_string();
            assert!(e.contains(said), "{text:?}: {e}");
            assert!(!e.contains('\u{1b}'), "{e:?}");
        }
    }

    #[test]
    fn nobody_connects_to_port_0() {
        for text in [":0", "node.example:0", "[::1]:00", " http://127.0.0.1:0/"] {
            assert_eq!(
                text.parse::<Address>().unwrap().port,
                0,
                "{text:?} is an address to listen on"
            );
            let e = Address::of_node(text).unwrap_err().to_string();
            assert!(e.contains("port 0"), "{text:?}: {e}");
        }
        assert_eq!(Address::of_node(":81").unwrap(), ":81".parse().unwrap());
        assert_eq!(Address::of_node("a b"), "a b".parse());
    }
}
