use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use hallpass_servers::{Flow, Proxy, Way};

use crate::until;

/// Longer than what is sent takes to arrive.
const A_WHILE: Duration = Duration::from_millis(200);

/// A server that says back what it hears.
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
        stream.set_read_timeout(Some(A_WHILE)).unwrap();
        let mut client = Self(stream);
        client.say(b"hello");
        assert_eq!(client.hear(5).unwrap(), b"hello");
        client
    }

    fn say(&mut self, what: &[u8]) {
        self.0.write_all(what).unwrap();
    }

    fn hear(&mut self, bytes: usize) -> Result<Vec<u8>, ErrorKind> {
        let mut heard = vec![0; bytes];
        self.0.read_exact(&mut heard).map_err(|error| error.kind())?;
        Ok(heard)
    }

    fn hears_nothing(&mut self) -> bool {
        self.hear(1) == Err(ErrorKind::WouldBlock)
    }

    fn is_reset(&mut self) -> bool {
        self.hear(1) == Err(ErrorKind::ConnectionReset)
    }
}

#[test]
fn what_passes_is_counted() {
    let proxy = Proxy::to(echo()).unwrap();
    let (mut one, _other) = (Client::of(&proxy), Client::of(&proxy));
    one.say(b"a word");
    assert_eq!(one.hear(6).unwrap(), b"a word");
    assert_eq!((proxy.accepted(), proxy.connections().len()), (2, 2));
    assert_eq!((proxy.passed(Way::ToServer), proxy.passed(Way::ToClient)), (16, 16));
    drop(one);
    until("it is forgotten", || proxy.connections().len() == 1);
    assert_eq!(proxy.url("redis://127.0.0.1:1/"), "redis://127.0.0.1:1/", "no URL of that server");
}

#[test]
fn what_is_delayed_arrives_later_in_order_and_not_one_after_the_other() {
    let proxy = Proxy::to(echo()).unwrap();
    let mut client = Client::of(&proxy);
    client.0.set_read_timeout(None).unwrap();
    proxy.set(Way::ToServer, Flow::Delay(A_WHILE));
    let started = Instant::now();
    for word in ["one ", "two ", "three"] {
        client.say(word.as_bytes());
    }
    assert_eq!(client.hear(13).unwrap(), b"one two three");
    assert!(started.elapsed() >= A_WHILE);
}

#[test]
fn what_is_held_arrives_in_the_end() {
    let proxy = Proxy::to(echo()).unwrap();
    let mut client = Client::of(&proxy);
    for way in [Way::ToServer, Way::ToClient] {
        proxy.set(way, Flow::Hold);
        client.say(b"later");
        assert!(client.hears_nothing());
        proxy.heal();
        assert_eq!(client.hear(5).unwrap(), b"later");
    }
}

#[test]
fn what_is_swallowed_is_lost_with_all_that_comes_after_it_and_nobody_is_told() {
    let proxy = Proxy::to(echo()).unwrap();
    let mut client = Client::of(&proxy);
    proxy.swallow();
    client.say(b"lost");
    assert!(client.hears_nothing());
    proxy.heal();
    client.say(b"and this");
    assert!(client.hears_nothing());
    Client::of(&proxy);
    proxy.cut();
    assert!(client.is_reset());
}

#[test]
fn one_connection_can_be_broken_alone() {
    let proxy = Proxy::to(echo()).unwrap();
    let (mut one, mut other) = (Client::of(&proxy), Client::of(&proxy));
    proxy.connections()[0].cut();
    assert!(one.is_reset());
    other.say(b"well");
    assert_eq!(other.hear(4).unwrap(), b"well");
    let port = proxy.connections()[0].port();
    proxy.connection(port).unwrap().set(Way::ToClient, Flow::Swallow);
    other.say(b"well");
    assert!(other.hears_nothing());
    assert!(proxy.connection(1).is_none());
}

#[test]
fn while_it_refuses_nobody_gets_in_and_who_is_in_stays() {
    let proxy = Proxy::to(echo()).unwrap();
    let mut client = Client::of(&proxy);
    proxy.refuse();
    let refused = TcpStream::connect(proxy.address()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    client.say(b"here");
    assert_eq!(client.hear(4).unwrap(), b"here");
    proxy.heal();
    Client::of(&proxy);
}

#[test]
fn a_connection_is_reset_after_as_many_bytes_as_one_says() {
    let proxy = Proxy::to(echo()).unwrap();
    for way in [Way::ToServer, Way::ToClient] {
        let mut client = Client::of(&proxy);
        proxy.reset_after(way, 7);
        client.say(b"four");
        assert_eq!(client.hear(4).unwrap(), b"four");
        let before = proxy.passed(way);
        client.say(b"four");
        until("it is reset", || client.hear(1) == Err(ErrorKind::ConnectionReset));
        assert_eq!(proxy.passed(way) - before, 3);
        Client::of(&proxy);
    }
}

#[test]
fn all_connections_are_cut_after_as_many_bytes_as_one_says() {
    let proxy = Proxy::to(echo()).unwrap();
    let (mut one, mut other) = (Client::of(&proxy), Client::of(&proxy));
    proxy.cut_after(Way::ToServer, 4);
    one.say(b"four");
    assert_eq!(one.hear(4).unwrap(), b"four");
    one.say(b"f");
    until("both are reset", || one.is_reset() && other.is_reset());
    Client::of(&proxy);
}

#[test]
fn a_server_that_is_not_there_resets_who_calls() {
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
fn it_ends_with_its_value() {
    let proxy = Proxy::to(echo()).unwrap();
    let address = proxy.address();
    let mut client = Client::of(&proxy);
    drop(proxy);
    assert!(client.hear(1).is_err_and(|error| error != ErrorKind::WouldBlock));
    assert!(TcpStream::connect(address).is_err());
}
