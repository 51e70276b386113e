use hallpass_servers::{Package, Redis, RedisCluster};

use crate::{is_ahead, until};

fn start() -> Redis {
    Package::REDIS.ensure_installed().unwrap();
    Redis::start().unwrap()
}

#[test]
fn two_servers_at_once_know_nothing_of_each_other() {
    let (one, other) = (start(), start());
    assert_eq!(one.run(&["SET", "pass", "1"]).unwrap(), "OK");
    assert_eq!(one.run(&["GET", "pass"]).unwrap(), "1");
    assert_eq!(other.run(&["GET", "pass"]).unwrap(), "");
    assert!(other.run(&["NONSENSE"]).is_err());
}

#[test]
fn options_are_what_one_says() {
    Package::REDIS.ensure_installed().unwrap();
    let server = Redis::start_with(&["--maxmemory", "12mb"]).unwrap();
    assert_eq!(server.run(&["CONFIG", "GET", "maxmemory"]).unwrap(), "maxmemory\n12582912");
}

#[test]
fn its_clock_goes_as_one_says_however_often_it_is_started() {
    Package::REDIS.ensure_installed().unwrap();
    let server = Redis::start_with_clock(&[]).unwrap();
    let now = || server.run(&["TIME"]).unwrap().lines().next().unwrap().parse().unwrap();
    for ahead in [3_600, -86_400, 0] {
        server.set_clock(ahead).unwrap();
        assert!(is_ahead(now(), ahead));
        server.kill().unwrap();
        server.start_again().unwrap();
        assert!(is_ahead(now(), ahead));
    }
    assert!(start().set_clock(1).is_err(), "that one goes by the machine's");
}

#[test]
fn it_comes_back_after_any_end_with_what_was_written() {
    let server = start();
    for end in [Redis::kill, Redis::stop] {
        server.run(&["INCR", "n"]).unwrap();
        end(&server).unwrap();
        assert!(server.run(&["PING"]).is_err());
        server.start_again().unwrap();
    }
    assert_eq!(server.run(&["GET", "n"]).unwrap(), "2");
}

#[test]
fn a_replica_has_what_was_written_until_it_is_promoted() {
    let primary = start();
    primary.run(&["SET", "n", "1"]).unwrap();
    let replica = primary.replica().unwrap();
    assert_eq!(replica.run(&["GET", "n"]).unwrap(), "1");
    assert!(replica.run(&["SET", "n", "2"]).is_err(), "it takes no changes");
    replica.promote().unwrap();
    primary.run(&["SET", "n", "3"]).unwrap();
    assert_eq!(replica.run(&["GET", "n"]).unwrap(), "1");
    assert_eq!(replica.run(&["SET", "n", "2"]).unwrap(), "OK");
}

#[test]
fn the_nodes_of_a_cluster_have_a_third_of_the_slots_each() {
    Package::REDIS.ensure_installed().unwrap();
    let cluster = RedisCluster::start().unwrap();
    assert_eq!(cluster.urls().len(), 3);
    let [first, second, third] = cluster.primaries() else { panic!("three") };
    // The slots of these keys are 5,061 and 15,495.
    for (key, home, away) in [("bar", first, second), ("a", third, first)] {
        assert_eq!(home.run(&["SET", key, "1"]).unwrap(), "OK");
        let moved = away.run(&["GET", key]).unwrap_err().to_string();
        assert!(moved.starts_with("MOVED "), "{moved}");
        assert!(moved.ends_with(&home.address().to_string()), "{moved}");
    }
}

#[test]
fn a_replica_takes_the_place_of_a_primary_that_is_gone() {
    Package::REDIS.ensure_installed().unwrap();
    let mut cluster = RedisCluster::start().unwrap();
    cluster.add_replica(0).unwrap();
    let (primary, replica) = (&cluster.primaries()[0], &cluster.replicas()[0]);
    primary.run(&["SET", "bar", "1"]).unwrap();
    primary.wait_for(replica).unwrap();
    primary.kill().unwrap();
    until("the replica takes changes", || replica.run(&["SET", "bar", "2"]).is_ok());
}
