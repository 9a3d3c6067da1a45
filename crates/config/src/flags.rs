//! The flags of `keyless up` and `keyless serve` that are settings, in one table.

/// A flag that sets a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// Without the hyphens.
    pub long: &'static str,
    pub short: Option<char>,
    /// The path of the setting.
    pub setting: &'static str,
    pub takes: Takes,
    /// At most one flag of a group can be given.
    pub group: Option<&'static str>,
}

/// What follows a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A value, called so in the help.
    Value(&'static str),
    /// A value each time it is given.
    Values(&'static str),
    /// Nothing: it stands for this value.
    Nothing(&'static str),
    /// Nothing: given so many times it stands for that value, once for the first.
    Times(&'static [&'static str]),
}

const fn value(long: &'static str, name: &'static str, setting: &'static str) -> Flag {
    Flag { long, short: None, setting, takes: Takes::Value(name), group: None }
}

const fn values(long: &'static str, name: &'static str, setting: &'static str) -> Flag {
    Flag { takes: Takes::Values(name), ..value(long, name, setting) }
}

const fn stands_for(long: &'static str, meaning: &'static str, setting: &'static str) -> Flag {
    Flag { takes: Takes::Nothing(meaning), ..value(long, meaning, setting) }
}

const fn one_of(group: &'static str, flag: Flag) -> Flag {
    Flag { group: Some(group), ..flag }
}

/// `--data`, which every command has.
pub const DATA: &Flag = &value("data", "DIR", "data");

/// A new one is one row here.
pub const FLAGS: &[Flag] = &[
    value("port", "PORT", "listen.https"),
    value("metadata-port", "PORT", "listen.metadata"),
    value("operations-port", "PORT", "listen.operations"),
    value("gateway-http", "PORT", "listen.gateway_http"),
    one_of("model_source", value("upstream", "URL", "upstreams.default.url")),
    value("upstream-key-file", "FILE", "upstreams.default.api_key_file"),
    one_of("model_source", value("model", "MODEL", "gateway.default_upstream")),
    one_of("model_source", stands_for("built-in", "built-in", "gateway.default_upstream")),
    values("trust-issuer", "URL", "trust.issuers"),
    value("issuer-ca", "FILE", "trust.issuer_ca"),
    values("trust-tenant", "TENANT_ID", "trust.tenants"),
    value("tenant-authority", "URL", "trust.tenant_authority"),
    value("tenant-ca", "FILE", "trust.tenant_ca"),
    values("federation-audience", "AUDIENCE", "authority.federation_audiences"),
    values("es256", "AUDIENCE", "authority.es256_audiences"),
    stands_for("assertions-once", "never", "authority.assertion_reuse"),
    value("ready-file", "FILE", "process.ready_file"),
    value("drain", "TIME", "process.drain"),
    value("drain-delay", "TIME", "process.drain_delay"),
    value("workers", "N", "process.workers"),
    stands_for("strict-durability", "true", "audit.strict_durability"),
    value("audit-keep", "TIME", "audit.keep"),
    value("audit-max-size", "SIZE", "audit.max_size"),
    value("audit-spare", "TIME", "audit.spare"),
    values("without", "KIND/ID", "state.without"),
    value("rotate-keys-every", "TIME", "keys.rotate_every"),
    value("publish-keys-ahead", "TIME", "keys.publish_ahead"),
    Flag { short: Some('v'), takes: Takes::Times(&["info", "debug", "trace"]), ..value("verbose", "", "log.level") },
    stands_for("log-json", "json", "log.format"),
    value("sign-in-with", "ISSUER", "sign_in.issuer"),
    value("sign-in-client-id", "ID", "sign_in.client_id"),
    value("sign-in-client-secret-file", "FILE", "sign_in.client_secret_file"),
    value("sign-in-name", "NAME", "sign_in.name"),
    value("sign-in-ca", "FILE", "sign_in.ca"),
    values("sign-in-email-domain", "DOMAIN", "sign_in.email_domains"),
];
