//! PKCS#1 v1.5 paddings that a careless verifier accepts (case 12), made with the private exponent itself.

use aws_lc_rs::digest::{SHA256, digest};
use keyless_model::entity::SigningAlgorithm;
use x509_parser::der_parser::parse_der;

use super::*;
use crate::signer::Signer;

/// `DigestInfo` of SHA-256 up to the hash (RFC 8017 section 9.2, note 1).
const DIGEST_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];
const MESSAGE: &[u8] = b"header.payload";
const LENGTH: usize = 256;

/// Raw RSA: the test must sign blocks that the library would never make.
struct RawKey {
    n: Vec<u64>,
    d: Vec<u64>,
    key: VerifyingKey,
}

impl RawKey {
    fn new() -> Self {
        let new = Signer::generate(SigningAlgorithm::RS256).unwrap();
        // PrivateKeyInfo (RFC 5208) around RSAPrivateKey (RFC 8017 appendix A.1.2): version, n, e, d, ..
        let (_, info) = parse_der(new.private_pkcs8.expose()).unwrap();
        let (_, private) = parse_der(info.as_sequence().unwrap()[2].as_slice().unwrap()).unwrap();
        let [_version, n, _e, d] = std::array::from_fn(|at| private.as_sequence().unwrap()[at].as_slice().unwrap());
        Self { n: limbs(n), d: limbs(d), key: VerifyingKey::from_spki(Algorithm::RS256, &new.public_spki).unwrap() }
    }

    /// `block ^ d mod n`.
    fn sign(&self, block: &[u8]) -> Vec<u8> {
        assert_eq!(block.len(), LENGTH);
        let (base, mut power) = (limbs(block), limbs(&[1]));
        for bit in (0..LENGTH * 8).rev() {
            power = multiply(&power, &power, &self.n);
            if self.d.get(bit / 64).is_some_and(|limb| limb >> (bit % 64) & 1 == 1) {
                power = multiply(&power, &base, &self.n);
            }
        }
        let bytes: Vec<u8> = power.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
        let mut signature = vec![0; LENGTH.saturating_sub(bytes.len())];
        signature.extend_from_slice(&bytes[bytes.len().saturating_sub(LENGTH)..]);
        signature
    }
}

/// Little-endian limbs without leading zeros.
fn limbs(bytes: &[u8]) -> Vec<u64> {
    let mut limbs: Vec<u64> = bytes.rchunks(8).map(|chunk| chunk.iter().fold(0, |limb, &byte| limb << 8 | u64::from(byte))).collect();
    trim(&mut limbs);
    limbs
}

fn trim(limbs: &mut Vec<u64>) {
    while limbs.last() == Some(&0) {
        limbs.pop();
    }
}

fn multiply(a: &[u64], b: &[u64], n: &[u64]) -> Vec<u64> {
    let mut product = vec![0_u64; a.len() + b.len() + 1];
    for (i, &x) in a.iter().enumerate() {
        let mut carry = 0_u128;
        for (to, &y) in product[i..].iter_mut().zip(b) {
            let sum = u128::from(*to) + u128::from(x) * u128::from(y) + carry;
            *to = sum as u64;
            carry = sum >> 64;
        }
        product[i + b.len()] = carry as u64;
    }
    trim(&mut product);
    reduce(product, n)
}

/// Knuth's algorithm D, remainder only; the top bit of `n` is set, as in every 2048-bit modulus.
fn reduce(mut rest: Vec<u64>, n: &[u64]) -> Vec<u64> {
    let top = u128::from(*n.last().unwrap());
    assert!(top >> 63 == 1);
    if rest.len() < n.len() {
        return rest;
    }
    rest.push(0);
    for at in (0..rest.len() - n.len()).rev() {
        let high = u128::from(rest[at + n.len()]) << 64 | u128::from(rest[at + n.len() - 1]);
        let quotient = (high / top).min(u128::from(u64::MAX));
        let (mut carry, mut borrow) = (0_u128, false);
        for (to, &limb) in rest[at..].iter_mut().zip(n) {
            let product = quotient * u128::from(limb) + carry;
            carry = product >> 64;
            let (once, first) = to.overflowing_sub(product as u64);
            let (twice, second) = once.overflowing_sub(u64::from(borrow));
            (*to, borrow) = (twice, first || second);
        }
        let (once, first) = rest[at + n.len()].overflowing_sub(carry as u64);
        let (twice, second) = once.overflowing_sub(u64::from(borrow));
        rest[at + n.len()] = twice;
        // The guess was up to two too high: add the modulus back until the borrow is undone.
        let mut negative = first || second;
        while negative {
            let mut carry = 0_u128;
            for (to, &limb) in rest[at..].iter_mut().zip(n) {
                let sum = u128::from(*to) + u128::from(limb) + carry;
                *to = sum as u64;
                carry = sum >> 64;
            }
            let (sum, wrapped) = rest[at + n.len()].overflowing_add(carry as u64);
            rest[at + n.len()] = sum;
            negative = !wrapped;
        }
    }
    trim(&mut rest);
    rest
}

/// `start || 0xFF.. || rest`, filled up to the key's length.
fn block(start: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut block = start.to_vec();
    block.resize(LENGTH - rest.len(), 0xFF);
    block.extend_from_slice(rest);
    block
}

#[test]
fn modified_pkcs1_padding_is_refused_n12() {
    let raw = RawKey::new();
    let hash = digest(&SHA256, MESSAGE);
    let hash = hash.as_ref();
    let info = [&DIGEST_INFO[..], hash].concat();
    let tail = [&[0], &info[..]].concat();
    let right = block(&[0, 1], &tail);
    assert_eq!(raw.key.check(MESSAGE, &raw.sign(&right)), Ok(()), "the raw signer itself is right");

    let changed = |at: usize, byte: u8| {
        let mut block = right.clone();
        block[at] = byte;
        block
    };
    let short = |padding: usize| {
        // Bleichenbacher 2006: little padding, the hash early, garbage to the end.
        let mut block = [&[0, 1], &vec![0xFF; padding][..], &tail].concat();
        block.resize(LENGTH, 0xA5);
        block
    };
    let at_info = LENGTH - info.len();
    let without_null = {
        let mut short = DIGEST_INFO.to_vec();
        short.drain(15..17);
        (short[1], short[3]) = (0x2f, 0x0b);
        [&[0], &short[..], hash].concat()
    };
    let long_length = [&[0, 0x30, 0x81, 0x31], &DIGEST_INFO[2..], hash].concat();
    let with_garbage = {
        let mut longer = info.clone();
        longer[1] += 2;
        [&[0], &longer[..], &[0x05, 0]].concat()
    };
    let sha1_name =
        [&[0, 0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14][..], &hash[..20]].concat();
    let mut forgeries: Vec<(String, Vec<u8>)> = vec![
        ("block type 0".into(), changed(1, 0)),
        ("block type 2".into(), changed(1, 2)),
        ("first byte 1".into(), changed(0, 1)),
        ("separator missing".into(), changed(at_info - 1, 0xFF)),
        ("separator 1".into(), changed(at_info - 1, 1)),
        ("early separator".into(), changed(40, 0)),
        ("8 bytes of padding".into(), short(8)),
        ("no padding".into(), short(0)),
        ("zero padding".into(), [&[0, 1], &vec![0; LENGTH - 2 - tail.len()][..], &tail].concat()),
        ("hash without DigestInfo".into(), block(&[0, 1], &[&[0], hash].concat())),
        ("parameters missing".into(), block(&[0, 1], &without_null)),
        ("long form of a length".into(), block(&[0, 1], &long_length)),
        ("garbage after the hash".into(), block(&[0, 1], &with_garbage)),
        ("another hash's name".into(), block(&[0, 1], &sha1_name)),
        ("nothing but the hash".into(), block(&[0; 220], hash)),
        ("all zero".into(), vec![0; LENGTH]),
        ("one".into(), block(&[0; 255], &[1])),
    ];
    forgeries.extend((2..at_info - 1).step_by(29).map(|at| (format!("padding byte {at}"), changed(at, 0xFE))));
    forgeries.extend((at_info..LENGTH).step_by(3).map(|at| (format!("digest info byte {at}"), changed(at, right[at] ^ 0x01))));
    for (name, forgery) in forgeries {
        assert_eq!(raw.key.check(MESSAGE, &raw.sign(&forgery)), Err(TokenError::Signature), "{name}");
    }
}

#[test]
fn trivial_rsa_signatures_are_refused() {
    let raw = RawKey::new();
    let modulus: Vec<u8> = raw.n.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
    for signature in [vec![], vec![0; LENGTH], vec![0xFF; LENGTH], modulus, [vec![0; LENGTH - 1], vec![1]].concat()] {
        assert_eq!(raw.key.check(MESSAGE, &signature), Err(TokenError::Signature));
    }
}

#[test]
fn numbers_survive_the_way_through_a_jwk() {
    for algorithm in [SigningAlgorithm::RS256, SigningAlgorithm::ES256] {
        let new = Signer::generate(algorithm).unwrap();
        let key = VerifyingKey::from_spki(algorithm.into(), &new.public_spki).unwrap();
        let numbers = key.numbers().unwrap();
        assert_eq!(VerifyingKey::from_numbers(algorithm.into(), &numbers).unwrap().numbers().unwrap(), numbers);
    }
}

#[test]
fn point_beside_the_curve_is_refused() {
    let beside = PublicNumbers::P256 { x: vec![1; 32], y: vec![1; 32] };
    assert!(VerifyingKey::from_numbers(Algorithm::ES256, &beside).is_err());
    let infinity = PublicNumbers::P256 { x: vec![0; 32], y: vec![0; 32] };
    assert!(VerifyingKey::from_numbers(Algorithm::ES256, &infinity).is_err());
    assert!(VerifyingKey::from_numbers(Algorithm::RS256, &beside).is_err());
}
