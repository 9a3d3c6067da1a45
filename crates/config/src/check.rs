//! What settings say to each other, as far as nothing else must be looked at.

use std::collections::BTreeMap;

use crate::problem::Fault;
use crate::sections::Settings;

/// Names of `gateway.default_upstream` that stand for no configured server.
pub(crate) const FOUND: [&str; 3] = ["detect", "smollm2", "built-in"];

pub(crate) fn faults(settings: &Settings) -> Vec<Fault> {
    let mut faults = Vec::new();
    listeners(settings, &mut faults);
    upstreams(settings, &mut faults);
    lifetimes(settings, &mut faults);
    trust(settings, &mut faults);
    gateway(settings, &mut faults);
    faults
}

fn listeners(settings: &Settings, faults: &mut Vec<Fault>) {
    let listen = &settings.listen;
    if !listen.https.is_localhost() {
        faults.push(Fault::new(
            &["listen.https"],
            format!("the certificate and the endpoints name localhost; write localhost:{}", listen.https.port()),
        ));
    }
    let all = [
        ("listen.https", Some(listen.https)),
        ("listen.metadata", Some(listen.metadata())),
        ("listen.operations", Some(listen.operations())),
        ("listen.gateway_http", listen.gateway_http),
    ];
    let mut taken = BTreeMap::new();
    for (setting, address) in
        all.into_iter().filter_map(|(setting, address)| Some((setting, address?))).filter(|(_, address)| address.port() != 0)
    {
        // `localhost` over HTTPS is ::1 as well; one port for two services would confuse people in any case.
        if let Some(earlier) = taken.insert(address.port(), setting) {
            faults.push(Fault::new(
                &[setting, earlier],
                format!("{earlier} has port {} already; choose another one, or 0 for any free one", address.port()),
            ));
        }
    }
    if let Some(domain) = &listen.wildcard_domain {
        let label = |label: &str| !label.is_empty() && label.len() <= 63 && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if domain.starts_with("openai.") || !domain.split('.').all(label) {
            faults.push(Fault::new(
                &["listen.wildcard_domain"],
                "this is no domain for NAME.openai.DOMAIN; write one such as ai.example.com",
            ));
        }
    }
}

fn upstreams(settings: &Settings, faults: &mut Vec<Fault>) {
    for name in settings.upstreams.keys() {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_') {
            faults.push(Fault::new(&["upstreams"], format!("`{name}` is no name of an upstream; use small letters, digits and hyphens")));
        } else if FOUND.contains(&name.as_str()) {
            faults.push(Fault::new(
                &[&format!("upstreams.{name}")],
                "the name means something else in gateway.default_upstream; choose another name",
            ));
        }
    }
    let Some(default) = &settings.gateway.default_upstream else { return };
    let at = ["gateway.default_upstream", "upstreams"];
    if FOUND.contains(&default.as_str()) {
        if settings.upstreams.contains_key("default") {
            faults.push(Fault::new(
                &at,
                format!("an upstream is called `default` beside `{default}`; leave one of the two out, or rename the upstream"),
            ));
        }
    } else if !settings.upstreams.contains_key(default) {
        let names = settings.upstreams.keys().map(String::as_str).chain(FOUND).collect::<Vec<_>>().join(", ");
        faults.push(Fault::new(&at, format!("no upstream is called `{default}`; write one of {names}")));
    }
}

fn lifetimes(settings: &Settings, faults: &mut Vec<Fault>) {
    const DAY: u32 = 86_400;
    let lives = &settings.lifetimes;
    let bounded = [
        ("lifetimes.application_token", lives.application_token, 60, DAY),
        ("lifetimes.application_token_spread", lives.application_token_spread, 1, DAY),
        ("lifetimes.person_token", lives.person_token, 60, DAY),
        ("lifetimes.person_token_spread", lives.person_token_spread, 1, DAY),
        ("lifetimes.id_token", lives.id_token, 60, DAY),
        ("lifetimes.identity_token", lives.identity_token, 60, DAY + 300),
        ("lifetimes.owner_token", lives.owner_token, 60, DAY),
        ("lifetimes.outside_token", lives.outside_token, 60, DAY),
    ];
    for (setting, span, least, most) in bounded {
        if !(least..=most).contains(&span.as_secs()) {
            let (least, most) = (crate::TimeSpan::secs(least), crate::TimeSpan::secs(most));
            faults.push(Fault::new(&[setting], format!("{span} is out of bounds; write {least} to {most}")));
        }
    }
    if lives.sign_in_idle > lives.sign_in {
        let what = format!(
            "{} is longer than a sign-in lives at all ({}); shorten it, or lengthen lifetimes.sign_in",
            lives.sign_in_idle, lives.sign_in
        );
        faults.push(Fault::new(&["lifetimes.sign_in_idle", "lifetimes.sign_in"], what));
    }
    // SECURITY: a session that was ended is remembered for as long as its line; a token that outlived the line would count again.
    let longest = lives.person_token.as_secs().saturating_add(lives.person_token_spread.as_secs());
    if lives.sign_in_idle.as_secs() < longest {
        let what = format!(
            "{} is shorter than a person's token may live ({}); lengthen it, or shorten lifetimes.person_token",
            lives.sign_in_idle,
            crate::TimeSpan::secs(longest)
        );
        faults.push(Fault::new(&["lifetimes.sign_in_idle", "lifetimes.person_token", "lifetimes.person_token_spread"], what));
    }
    let keys = &settings.keys;
    if keys.publish_ahead >= keys.rotate_every {
        let what = format!(
            "keys would sign for {} and be published {} ahead; make the interval longer than the publishing lead",
            keys.rotate_every, keys.publish_ahead
        );
        faults.push(Fault::new(&["keys.publish_ahead", "keys.rotate_every"], what));
    }
}

fn trust(settings: &Settings, faults: &mut Vec<Fault>) {
    let trust = &settings.trust;
    if let Some(authority) = &trust.tenant_authority {
        let rest = authority.strip_prefix("https://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        // SECURITY: keys that came in plain HTTP could be anyone's.
        if rest.is_none_or(|rest| rest.contains('/')) {
            faults.push(Fault::new(
                &["trust.tenant_authority"],
                "an https URL without a path is expected; write one such as https://login.microsoftonline.us",
            ));
        }
        if trust.tenants.is_empty() {
            faults.push(Fault::new(
                &["trust.tenant_authority", "trust.tenants"],
                "no tenant is trusted whose tokens would come from there; name one in trust.tenants",
            ));
        }
    }
    if trust.tenant_ca.is_some() && trust.tenant_authority.is_none() {
        faults.push(Fault::new(
            &["trust.tenant_ca", "trust.tenant_authority"],
            "it counts for an authority that you name; name it in trust.tenant_authority",
        ));
    }
    if trust.issuer_ca.is_some() && trust.issuers.is_empty() {
        faults.push(Fault::new(&["trust.issuer_ca", "trust.issuers"], "it counts for issuers that you name; name one in trust.issuers"));
    }
}

fn gateway(settings: &Settings, faults: &mut Vec<Fault>) {
    let gateway = &settings.gateway;
    if gateway.max_calls.get() > 16_384 {
        faults.push(Fault::new(&["gateway.max_calls"], "the audit log keeps events of 16384 calls; write that or less"));
    }
    if gateway.max_calls_of_one > gateway.max_calls {
        let what = format!("one caller cannot have more calls than all have ({}); lower it, or raise gateway.max_calls", gateway.max_calls);
        faults.push(Fault::new(&["gateway.max_calls_of_one", "gateway.max_calls"], what));
    }
    if gateway.max_request.bytes() > gateway.body_memory.bytes() / 4 {
        let what = format!(
            "a caller may hold a quarter of gateway.body_memory ({}), which is less than {}; lower it, or give the bodies more memory",
            gateway.body_memory, gateway.max_request
        );
        faults.push(Fault::new(&["gateway.max_request", "gateway.body_memory"], what));
    }
}
