use std::net::IpAddr;

use super::*;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(1_700_000_000 + secs)
}

fn from(last: u8) -> Place {
    Place::of(Some(IpAddr::from([192, 0, 2, last])))
}

/// Wrong attempts until one is not allowed: how many were made, and the wait then.
fn exhaust(lockout: &Lockout, name: &str, place: Place, now: i64) -> (u32, i64) {
    let mut made = 0;
    loop {
        match lockout.begin(name, place, at(now)) {
            Ok(_) => made += 1,
            Err(wait) => return (made, wait),
        }
    }
}

#[test]
fn waits_grow_with_each_failure_up_to_a_quarter_of_an_hour() {
    let lockout = Lockout::default();
    assert_eq!(exhaust(&lockout, "Ada@keyless.test", from(1), 0), (5, 31));
    let mut now = 31;
    let mut waits = Vec::new();
    for _ in 0..5 {
        let (made, wait) = exhaust(&lockout, "ada@KEYLESS.test", from(1), now);
        assert_eq!(made, 1);
        waits.push(wait);
        now += wait;
    }
    // After twelve minutes one failure is forgotten.
    assert_eq!(waits, [61, 121, 241, 481, 481]);
}

#[test]
fn forty_guesses_at_once_are_five_guesses_i3() {
    let lockout = Lockout::default();
    let admitted: Vec<_> = (0..40).filter_map(|_| lockout.begin("ada", from(1), at(0)).ok()).collect();
    assert_eq!(admitted.len(), 5, "all before the first one has failed");
}

#[test]
fn nobody_is_kept_locked_by_what_others_do_elsewhere_i3() {
    let lockout = Lockout::default();
    // A day of guessing as fast as one place is allowed to.
    let mut now = 0;
    while now < 86_400 {
        now += exhaust(&lockout, "ada", from(1), now).1;
    }
    assert!(lockout.begin("ada", from(1), at(now - 2)).is_err());
    assert!(lockout.begin("ada", from(2), at(now - 2)).is_ok(), "one place adds little to a name");
}

#[test]
fn where_a_person_signs_in_strangers_with_many_addresses_lock_nobody_out_i3() {
    let lockout = Lockout::default();
    let counted = lockout.begin("ada", from(250), at(0)).unwrap();
    lockout.succeeded(counted, at(0));
    for place in 0..200 {
        exhaust(&lockout, "ada", from(place), 1);
    }
    for n in 0..200 {
        _ = lockout.begin(&format!("user-{n}"), from(250), at(1));
    }
    assert!(lockout.begin("ada", from(251), at(2)).is_err(), "a distributed guess is slowed");
    assert!(lockout.begin("somebody", from(250), at(2)).is_err(), "a sprayed password is slowed");
    assert_eq!(exhaust(&lockout, "ada", from(250), 2).0, 5, "but not for the person where they sign in");
}

#[test]
fn a_success_forgives_typing_errors_here_and_gives_its_own_attempt_back_i3() {
    let lockout = Lockout::default();
    for _ in 0..4 {
        lockout.begin("ada", from(1), at(0)).unwrap();
    }
    let right = lockout.begin("ada", from(1), at(0)).unwrap();
    assert!(lockout.begin("ada", from(1), at(0)).is_err(), "five are under way");
    lockout.succeeded(right, at(0));
    assert_eq!(exhaust(&lockout, "ada", from(1), 1).0, 5);
}

#[test]
fn an_attempt_that_was_not_made_is_not_counted_i3() {
    let lockout = Lockout::default();
    for _ in 0..1000 {
        let counted = lockout.begin("ada", from(1), at(0)).unwrap();
        lockout.give_back(counted);
    }
    assert_eq!(exhaust(&lockout, "ada", from(1), 0).0, 5);
}

#[test]
fn every_address_of_this_machine_is_one_place_i3() {
    let lockout = Lockout::default();
    let made: u32 = (1..=20).map(|last| exhaust(&lockout, "ada", Place::of(Some(IpAddr::from([127, 0, 0, last]))), 0).0).sum();
    assert_eq!(made + exhaust(&lockout, "ada", Place::of(Some("::1".parse().unwrap())), 0).0, 5);
    assert_eq!(exhaust(&lockout, "ada", Place::User(1000), 0).0, 5, "users of it that the kernel names are apart");
}

#[test]
fn a_full_table_keeps_its_size_and_gives_no_guess_away_i3() {
    let lockout = Lockout { most: 60, ..Lockout::default() };
    exhaust(&lockout, "ada", from(1), 0);
    for n in 0..200 {
        _ = lockout.begin(&format!("user-{n}"), from(2), at(1));
        assert!(lockout.lock().len() <= 60);
    }
    assert!(lockout.begin("ada", from(1), at(1)).is_err(), "whoever fills the table frees nobody who is locked");
    // A table of nothing but locked entries counts nobody else, and so lets nobody else try.
    let full = Lockout { most: 60, ..Lockout::default() };
    for n in 0..200 {
        exhaust(&full, &format!("user-{n}"), from(n), 1);
    }
    let tried = (0..200).filter(|n| full.begin(&format!("new-{n}"), from(201), at(1)).is_ok()).count();
    assert!(tried <= 60 && full.lock().len() <= 60, "{tried}");
    assert_eq!(full.begin("one more", from(202), at(1)).err(), Some(FIRST_WAIT_SECS));
}

#[test]
fn a_clock_that_goes_back_locks_nobody_out_for_long() {
    let lockout = Lockout::default();
    exhaust(&lockout, "ada", from(1), 0);
    assert!(lockout.begin("ada", from(1), at(-86_400)).unwrap_err() <= LONGEST_WAIT_SECS + 1);
}
