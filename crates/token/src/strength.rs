//! Which public keys of others are too weak to trust. Checked when a key is registered or fetched, not per signature.

use crate::error::KeyError;

/// Smallest and largest RSA modulus, in bits. Below, it can be factored; above, one check costs milliseconds and a stranger chose it.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Longest public exponent, in bytes. Every honest key has 65537 (or 3); long ones only slow the check down.
const MAX_EXPONENT: usize = 4;

/// Judges an RSA public key, given as big-endian numbers without leading zeros.
///
/// # Errors
/// [`KeyError::Rejected`] with the rule that it breaks.
pub(crate) fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), KeyError> {
    let (Some(&first), Some(&last)) = (n.first(), n.last()) else { return Err(KeyError::Rejected("its modulus is empty")) };
    if first == 0 || e.first().is_none_or(|&byte| byte == 0) {
        return Err(KeyError::Rejected("its numbers have leading zeros"));
    }
    let bits = n.len() * 8 - first.leading_zeros() as usize;
    if !RSA_BITS.contains(&bits) {
        return Err(KeyError::Rejected("an RSA key needs 2048 to 8192 bits"));
    }
    if last & 1 == 0 {
        return Err(KeyError::Rejected("its modulus is even"));
    }
    // e = 1 makes every message its own signature; an even e is no RSA key at all.
    let odd = e.last().is_some_and(|byte| byte & 1 == 1);
    if e == [1] || !odd || e.len() > MAX_EXPONENT {
        return Err(KeyError::Rejected("its public exponent must be odd, at least 3 and at most 32 bits; use 65537"));
    }
    if has_roca_fingerprint(n) {
        return Err(KeyError::Rejected("it was made by a faulty generator (ROCA, CVE-2017-15361); make a new key"));
    }
    Ok(())
}

/// The odd primes by which the fingerprint of CVE-2017-15361 is taken.
const ROCA_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137,
    139, 149, 151, 157, 163, 167,
];

/// Faulty keys have primes of the form `k*M + 65537^a mod M`, so `n` is a power of 65537 modulo each small prime. A sound key passes
/// for one with a chance of about 2^-27.
fn has_roca_fingerprint(n: &[u8]) -> bool {
    ROCA_PRIMES.iter().all(|&prime| {
        let rest = n.iter().fold(0, |rest, &byte| (rest * 256 + u32::from(byte)) % prime);
        let mut power = 1;
        (0..prime).any(|_| {
            power = power * (65_537 % prime) % prime;
            power == rest
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number of that many bits which is odd and has no fingerprint.
    fn modulus(bits: usize) -> Vec<u8> {
        let mut n = vec![0xA7; bits / 8];
        n[0] |= 0x80;
        let last = n.len() - 1;
        n[last] |= 1;
        n
    }

    #[test]
    fn weak_rsa_keys_are_refused_n13() {
        let good = modulus(2048);
        assert_eq!(check_rsa(&good, &[1, 0, 1]), Ok(()));
        assert_eq!(check_rsa(&good, &[3]), Ok(()));
        for (n, e) in [
            (modulus(1024), vec![1, 0, 1]),
            (modulus(2040), vec![1, 0, 1]),
            (modulus(16_384), vec![1, 0, 1]),
            (good.clone(), vec![1]),
            (good.clone(), vec![2]),
            (good.clone(), vec![1, 0, 0]),
            (good.clone(), vec![]),
            (good.clone(), vec![0, 1, 0, 1]),
            (good.clone(), vec![1, 0, 0, 0, 1]),
            ([good[..255].to_vec(), vec![0xA6]].concat(), vec![1, 0, 1]),
            ([vec![0], good].concat(), vec![1, 0, 1]),
            (vec![], vec![1, 0, 1]),
        ] {
            assert!(matches!(check_rsa(&n, &e), Err(KeyError::Rejected(_))), "{} bytes, e {e:?}", n.len());
        }
    }

    #[test]
    fn the_fingerprint_of_faulty_generators_is_seen() {
        // 1 is a power of 65537 modulo every prime: the smallest number that has the fingerprint.
        assert!(has_roca_fingerprint(&[1]));
        assert!(has_roca_fingerprint(&[1, 0, 1]));
        assert!(!has_roca_fingerprint(&modulus(2048)));
        assert!(!has_roca_fingerprint(&[3]));
    }
}
