use hallpass_servers::{Package, Redis, RedisCluster};

use crate::{is_ahead, until};

fn start() -> Redis {
    Package::REDIS.ensure_installed().unwrap();
    Redis::start().unwrap()
}

#[test]
fn two_servers_do_not_share_data() {
    let (one, other) = (start(), start());
    assert_eq!(one.run(&["SET", "pass", "1"]).unwrap(), "OK");
    assert_eq!(one.run(&["GET", "pass"]).unwrap(), "1");
    assert_eq!(other.run(&["GET", "pass"]).unwrap(), "");
    assert!(other.run(&["NONSENSE"]).is_err());
}

#[test]
fn options_are_applied() {
    Package::REDIS.ensure_installed().unwrap();
    let server = Redis::start_with(&["--maxmemory", "12mb"]).unwrap();
    assert_eq!(server.run(&["CONFIG", "GET", "maxmemory"]).unwrap(), "maxmemory\n12582912");
}

#[test]
fn clock_can_be_set_and_survives_a_restart() {
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
    assert!(start().set_clock(1).is_err(), "set the clock of a server that has none of its own");
}

#[test]
fn written_data_survives_a_kill_and_a_stop() {
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
fn replica_has_the_writes_from_before_its_promotion() {
    let primary = start();
    primary.run(&["SET", "n", "1"]).unwrap();
    let replica = primary.replica().unwrap();
    assert_eq!(replica.run(&["GET", "n"]).unwrap(), "1");
    assert!(replica.run(&["SET", "n", "2"]).is_err(), "a replica accepted a change");
    replica.promote().unwrap();
    primary.run(&["SET", "n", "3"]).unwrap();
    assert_eq!(replica.run(&["GET", "n"]).unwrap(), "1");
    assert_eq!(replica.run(&["SET", "n", "2"]).unwrap(), "OK");
}

#[test]
fn each_node_of_a_cluster_owns_a_third_of_the_slots() {
    Package::REDIS.ensure_installed().unwrap();
    let cluster = RedisCluster::start().unwrap();
    assert_eq!(cluster.urls().len(), 3);
    let [first, second, third] = cluster.primaries() else { panic!("not three primaries") };
    // The slots of these keys are 5,061 and 15,495.
    for (key, home, away) in [("bar", first, second), ("a", third, first)] {
        assert_eq!(home.run(&["SET", key, "1"]).unwrap(), "OK");
        let moved = away.run(&["GET", key]).unwrap_err().to_string();
        assert!(moved.starts_with("MOVED "), "{moved}");
        assert!(moved.ends_with(&home.address().to_string()), "{moved}");
    }
}

#[test]
fn replica_replaces_a_failed_primary() {
    Package::REDIS.ensure_installed().unwrap();
    let mut cluster = RedisCluster::start().unwrap();
    cluster.add_replica(0).unwrap();
    let (primary, replica) = (&cluster.primaries()[0], &cluster.replicas()[0]);
    primary.run(&["SET", "bar", "1"]).unwrap();
    primary.wait_for(replica).unwrap();
    primary.kill().unwrap();
    until("the replica accepts changes", || replica.run(&["SET", "bar", "2"]).is_ok());
}
