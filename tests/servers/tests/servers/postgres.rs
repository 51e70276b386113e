use std::time::{Duration, Instant};

use hallpass_servers::{Package, Postgres};

use crate::is_ahead;

fn start() -> Postgres {
    Package::POSTGRES.ensure_installed().unwrap();
    Postgres::start().unwrap()
}

#[test]
fn it_answers_what_it_is_asked_in_the_database_that_is_meant() {
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
fn whoever_shares_it_has_a_database_of_his_own() {
    let server = Postgres::shared();
    let [one, other] = [server.new_database().unwrap(), server.new_database().unwrap()];
    server.run_at(&one, "create table only_here ()").unwrap();
    assert_eq!(server.run_at(&other, "select to_regclass('only_here') is null").unwrap(), "t");
}

#[test]
fn settings_are_what_one_says() {
    Package::POSTGRES.ensure_installed().unwrap();
    let server = Postgres::start_with(&["max_connections=17"]).unwrap();
    assert_eq!(server.run("show max_connections").unwrap(), "17");
}

#[test]
fn its_clock_goes_as_one_says_in_all_of_its_processes() {
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
    assert!(start().set_clock(1).is_err(), "that one goes by the machine's");
}

#[test]
fn it_comes_back_after_any_end_with_what_was_committed() {
    let server = start();
    server.run("create table t (x int)").unwrap();
    for end in [Postgres::kill, Postgres::stop] {
        server.run("insert into t values (1)").unwrap();
        end(&server).unwrap();
        assert!(server.run("select 1").is_err());
        assert!(end(&server).is_err(), "it is down already");
        server.start_again().unwrap();
    }
    assert_eq!(server.run("select count(*) from t").unwrap(), "2");
    assert!(server.start_again().is_err(), "it runs already");
}

#[test]
fn while_it_is_paused_nobody_is_answered() {
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
fn a_standby_has_what_was_committed_until_it_stopped_following() {
    let primary = start();
    primary.run("create table t (x int); insert into t values (1)").unwrap();
    let standby = primary.standby().unwrap();
    assert_eq!(standby.run("select count(*) from t").unwrap(), "1");
    primary.run("insert into t values (2)").unwrap();
    primary.wait_for(&standby).unwrap();
    assert_eq!(standby.run("select count(*) from t").unwrap(), "2");
    assert!(standby.run("insert into t values (3)").is_err(), "it takes no changes");
    standby.stop_following().unwrap();
    primary.run("insert into t values (3)").unwrap();
    primary.kill().unwrap();
    standby.promote().unwrap();
    standby.run("insert into t values (4)").unwrap();
    assert_eq!(standby.run("select string_agg(x::text, ' ') from t").unwrap(), "1 2 4");
}
