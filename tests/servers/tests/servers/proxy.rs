use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use hallpass_servers::{Flow, Proxy, Way};

use crate::until;

/// How long a client waits for bytes that must not come.
const A_WHILE: Duration = Duration::from_millis(200);

/// How long a client waits for bytes that must come, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts a server that sends back what it receives, and returns its address.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                std::io::copy(&mut stream.try_clone().unwrap(), &mut stream)
            });
        }
    });
    address
}

struct Client(TcpStream);

impl Client {
    fn of(proxy: &Proxy) -> Self {
        let stream = TcpStream::connect(proxy.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Self(stream);
        client.send(b"hello");
        assert_eq!(client.receive(5).unwrap(), b"hello");
        client
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    fn receive(&mut self, bytes: usize) -> Result<Vec<u8>, ErrorKind> {
        let mut received = vec![0; bytes];
        self.0.read_exact(&mut received).map_err(|error| error.kind())?;
        Ok(received)
    }

    fn receives_nothing(&mut self) -> bool {
        self.0.set_read_timeout(Some(A_WHILE)).unwrap();
        let received = self.receive(1);
        self.0.set_read_timeout(Some(PATIENCE)).unwrap();
        received == Err(ErrorKind::WouldBlock)
    }

    fn is_reset(&mut self) -> bool {
        self.receive(1) == Err(ErrorKind::ConnectionReset)
    }
}

#[test]
fn connections_and_bytes_are_counted() {
    let proxy = Proxy::to(echo()).unwrap();
    let (mut one, _other) = (Client::of(&proxy), Client::of(&proxy));
    one.send(b"a word");
    assert_eq!(one.receive(6).unwrap(), b"a word");
    assert_eq!((proxy.accepted(), proxy.connections().len()), (2, 2));
    assert_eq!((proxy.passed(Way::ToServer), proxy.passed(Way::ToClient)), (16, 16));
    drop(one);
    until("the closed connection is removed", || proxy.connections().len() == 1);
    assert_eq!(
        proxy.url("redis://127.0.0.1:1/"),
        "redis://127.0.0.1:1/",
        "changed a URL of another server"
    );
}

#[test]
fn delayed_bytes_arrive_in_order_after_one_delay() {
    let proxy = Proxy::to(echo()).unwrap();
    let mut client = Client::of(&proxy);
    proxy.set(Way::ToServer, Flow::Delay(A_WHILE));
    let started = Instant::now();
    for word in ["one ", "two ", "three"] {
        client.send(word.as_bytes());
    }
    assert_eq!(client.receive(13).unwrap(), b"one two three");
    assert!(started.elapsed() >= A_WHILE);
}

#[test]
fn held_bytes_arrive_after_the_fault_is_removed() {
    let proxy = Proxy::to(echo()).unwrap();
    let mut client = Client::of(&proxy);
    for way in [Way::ToServer, Way::ToClient] {
        proxy.set(way, Flow::Hold);
        client.send(b"later");
        assert!(client.receives_nothing());
        proxy.heal();
        assert_eq!(client.receive(5).unwrap(), b"later");
    }
}

#[test]
fn swallowed_bytes_and_later_ones_are_lost_silently() {
    let proxy = Proxy::to(echo()).unwrap();
    let mut client = Client::of(&proxy);
    proxy.swallow();
    client.send(b"lost");
    assert!(client.receives_nothing());
    proxy.heal();
    client.send(b"and this");
    assert!(client.receives_nothing());
    Client::of(&proxy);
    proxy.cut();
    assert!(client.is_reset());
}

#[test]
fn fault_can_be_limited_to_one_connection() {
    let proxy = Proxy::to(echo()).unwrap();
    let (mut one, mut other) = (Client::of(&proxy), Client::of(&proxy));
    proxy.connections()[0].cut();
    assert!(one.is_reset());
    other.send(b"well");
    assert_eq!(other.receive(4).unwrap(), b"well");
    let port = proxy.connections()[0].port();
    proxy.connection(port).unwrap().set(Way::ToClient, Flow::Swallow);
    other.send(b"well");
    assert!(other.receives_nothing());
    assert!(proxy.connection(1).is_none());
}

#[test]
fn rejecting_proxy_keeps_existing_connections_open() {
    let proxy = Proxy::to(echo()).unwrap();
    let mut client = Client::of(&proxy);
    proxy.reject();
    let rejected = TcpStream::connect(proxy.address()).unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::ConnectionRefused);
    client.send(b"here");
    assert_eq!(client.receive(4).unwrap(), b"here");
    proxy.heal();
    Client::of(&proxy);
}

#[test]
fn reset_after_resets_one_connection_after_the_given_bytes() {
    let proxy = Proxy::to(echo()).unwrap();
    for way in [Way::ToServer, Way::ToClient] {
        let mut client = Client::of(&proxy);
        proxy.reset_after(way, 7);
        client.send(b"four");
        assert_eq!(client.receive(4).unwrap(), b"four");
        let before = proxy.passed(way);
        client.send(b"four");
        until("the connection is reset", || client.is_reset());
        assert_eq!(proxy.passed(way) - before, 3);
        Client::of(&proxy);
    }
}

#[test]
fn cut_after_resets_all_connections_after_the_given_bytes() {
    let proxy = Proxy::to(echo()).unwrap();
    let (mut one, mut other) = (Client::of(&proxy), Client::of(&proxy));
    proxy.cut_after(Way::ToServer, 4);
    one.send(b"four");
    assert_eq!(one.receive(4).unwrap(), b"four");
    one.send(b"f");
    assert!(one.is_reset() && other.is_reset());
    Client::of(&proxy);
}

#[test]
fn client_is_reset_if_the_server_is_unreachable() {
    let proxy = Proxy::to(echo()).unwrap();
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    proxy.lead_to(nowhere);
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    let error = stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    proxy.lead_to(echo());
    Client::of(&proxy);
}

#[test]
fn dropping_the_proxy_closes_its_connections() {
    let proxy = Proxy::to(echo()).unwrap();
    let address = proxy.address();
    let mut client = Client::of(&proxy);
    drop(proxy);
    assert!(client.receive(1).is_err_and(|error| error != ErrorKind::WouldBlock));
    assert!(TcpStream::connect(address).is_err());
}
