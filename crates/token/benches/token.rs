//! Mint and verify, one core. `cargo bench -p keyless-token`; the library's own rate is `openssl speed rsa2048`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use keyless_model::entity::{KeyState, SigningAlgorithm};
use keyless_model::{ClientId, ObjectId, TenantId, Timestamp};
use keyless_token::{Expect, Grant, PublicKeys, Signed, Signer, TokenHeader, TokenSubject, Unverified, Version, verify};

const TENANT: TenantId = TenantId::from_u128(0x1111);
const AUDIENCE: &str = "https://cognitiveservices.azure.com";

fn grant() -> Grant<'static> {
    let resource = "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/demo/providers/Microsoft.ManagedIdentity";
    Grant {
        version: Version::V1,
        issuer_base: "https://localhost:8443",
        tenant: TENANT,
        audience: AUDIENCE,
        subject: TokenSubject::ManagedIdentity {
            client_id: ClientId::from_u128(1),
            object_id: ObjectId::from_u128(2),
            resource_id: format!("{resource}/userAssignedIdentities/demo-app"),
            host: None,
        },
        issued: Timestamp::from_unix_secs(1_795_224_111),
        lifetime_secs: 86_700,
        token_id: "mFhQ1n3cO0aXb1S6kQ4BAA".to_owned(),
        capabilities: vec!["CP1".to_owned()],
        session: None,
    }
}

fn bench(criterion: &mut Criterion) {
    let issuers = [Version::V1, Version::V2].map(|version| version.issuer("https://localhost:8443", TENANT));
    let audiences = ["https://cognitiveservices.azure.com/", AUDIENCE, "https://ai.azure.com"].map(str::to_owned);
    let now = Timestamp::from_unix_secs(1_795_224_200);
    let expect = Expect { issuers: &issuers, tenant: TENANT, audiences: &audiences, now, leeway_secs: 60 };
    for algorithm in [SigningAlgorithm::RS256, SigningAlgorithm::ES256] {
        let new = Signer::generate(algorithm).expect("the random source works");
        let signer = Signer::from_pkcs8(algorithm, new.kid.clone(), &new.private_pkcs8).expect("the key is new");
        let keys = PublicKeys::new([(new.kid, algorithm, new.public_spki, KeyState::Active)]).expect("the key is sound");
        let token = signer.sign(&grant().claims(), TokenHeader::V1).expect("the key signs").expose().clone();
        let mut group = criterion.benchmark_group(format!("{algorithm:?}"));
        group.throughput(Throughput::Elements(1));
        group.bench_function("mint", |bencher| bencher.iter(|| signer.sign(&grant().claims(), TokenHeader::V1)));
        group.bench_function("verify", |bencher| {
            bencher.iter(|| verify(&keys, &Unverified::parse(&token).expect("well-formed"), &expect).expect("genuine"));
        });
        group.bench_function("parse", |bencher| bencher.iter(|| Unverified::parse(&token).expect("well-formed")));
        let unverified = Unverified::parse(&token).expect("well-formed");
        let signed = Signed::check(&keys, &unverified).expect("genuine");
        group.bench_function("claims", |bencher| bencher.iter(|| signed.accept(&expect).expect("genuine")));
        group.bench_function("json", |bencher| bencher.iter(|| unverified.stated_claims().expect("well-formed")));
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
