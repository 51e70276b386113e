use std::time::{Duration, Instant};

use hallpass_servers::{Package, Postgres};

use crate::is_ahead;

fn start() -> Postgres {
    Package::POSTGRES.ensure_installed().unwrap();
    Postgres::start().unwrap()
}

#[test]
fn statements_run_in_the_database_of_the_url() {
    let server = start();
    assert_eq!(server.run("select 40 + 2, 'a'").unwrap(), "42|a");
    assert_eq!(server.run("show server_encoding").unwrap(), "UTF8");
    let other = server.create_database("other").unwrap();
    assert_eq!(server.run_at(&other, "select current_database()").unwrap(), "other");
    let error = server.run("select nonsense").unwrap_err().to_string();
    assert!(error.contains("nonsense"), "{error}");
    assert!(server.log().unwrap().contains("nonsense"));
}

#[test]
fn each_user_of_the_shared_server_has_its_own_database() {
    let server = Postgres::shared();
    let [one, other] = [server.new_database().unwrap(), server.new_database().unwrap()];
    server.run_at(&one, "create table only_here ()").unwrap();
    assert_eq!(server.run_at(&other, "select to_regclass('only_here') is null").unwrap(), "t");
}

#[test]
fn settings_are_applied() {
    Package::POSTGRES.ensure_installed().unwrap();
    let server = Postgres::start_with(&["max_connections=17"]).unwrap();
    assert_eq!(server.run("show max_connections").unwrap(), "17");
}

#[test]
fn clock_can_be_set_for_all_processes_of_the_server() {
    Package::POSTGRES.ensure_installed().unwrap();
    let server = Postgres::start_with_clock(&[]).unwrap();
    let now = || {
        let asked = server.run("select floor(extract(epoch from clock_timestamp()))");
        asked.unwrap().parse().unwrap()
    };
    for ahead in [3_600, -86_400, 0] {
        server.set_clock(ahead).unwrap();
        assert!(is_ahead(now(), ahead));
    }
    assert!(start().set_clock(1).is_err(), "set the clock of a server that has none of its own");
}

#[test]
fn committed_data_survives_a_kill_and_a_stop() {
    let server = start();
    server.run("create table t (x int)").unwrap();
    for end in [Postgres::kill, Postgres::stop] {
        server.run("insert into t values (1)").unwrap();
        end(&server).unwrap();
        assert!(server.run("select 1").is_err());
        assert!(end(&server).is_err(), "ended a server that was not running");
        server.start_again().unwrap();
    }
    assert_eq!(server.run("select count(*) from t").unwrap(), "2");
    assert!(server.start_again().is_err(), "started a server that was running");
}

#[test]
fn paused_server_does_not_respond_until_it_is_resumed() {
    let server = start();
    server.pause().unwrap();
    let started = Instant::now();
    let paused = Duration::from_millis(300);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| server.run("select 1").unwrap());
        std::thread::sleep(paused);
        assert!(!asked.is_finished());
        server.resume().unwrap();
        assert_eq!(asked.join().unwrap(), "1");
    });
    assert!(started.elapsed() >= paused);
}

#[test]
fn standby_has_the_commits_from_before_replication_stopped() {
    let primary = start();
    primary.run("create table t (x int); insert into t values (1)").unwrap();
    let standby = primary.standby().unwrap();
    assert_eq!(standby.run("select count(*) from t").unwrap(), "1");
    primary.run("insert into t values (2)").unwrap();
    primary.wait_for(&standby).unwrap();
    assert_eq!(standby.run("select count(*) from t").unwrap(), "2");
    assert!(standby.run("insert into t values (3)").is_err(), "a standby accepted a change");
    standby.stop_following().unwrap();
    primary.run("insert into t values (3)").unwrap();
    primary.kill().unwrap();
    standby.promote().unwrap();
    standby.run("insert into t values (4)").unwrap();
    assert_eq!(standby.run("select string_agg(x::text, ' ') from t").unwrap(), "1 2 4");
}
