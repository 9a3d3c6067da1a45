//! API keys in Azure's own annotated format, so that every secret scanner that knows Azure's keys knows ours.
//!
//! 84 characters of base62 ("CASK, legacy common annotated security key", microsoft/security-utilities):
//!
//! ```text
//! 0-51   random            56-57  "99"                72-75  "AAAB": Azure OpenAI, "AAAA": AI Services
//! 52-55  "JQQJ" signature  58-59  year and month      76-79  "ACOG": Cognitive Services
//!                          60-71  platform data       80-83  checksum of the rest (Marvin32)
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use keyless_model::{Entropy, Secret, Timestamp};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// ASCII "Default0", read as a big-endian number: the format's fixed checksum seed.
const CHECKSUM_SEED: u64 = 0x4465_6661_756c_7430;
/// Length of a key without its checksum.
const BODY: usize = 80;

/// The kind of account a key opens; part of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    AiServices,
    OpenAi,
}

impl Service {
    /// The service of an account's `kind`.
    #[must_use]
    pub fn of_kind(kind: &str) -> Self {
        if kind.eq_ignore_ascii_case("OpenAI") { Self::OpenAi } else { Self::AiServices }
    }

    const fn digit(self) -> char {
        match self {
            Self::AiServices => 'A',
            Self::OpenAi => 'B',
        }
    }
}

/// A new key: 52 random characters carry 309 bits.
#[must_use]
pub fn generate(service: Service, now: Timestamp, entropy: &dyn Entropy) -> Secret<String> {
    let mut key = String::with_capacity(BODY + 4);
    random(&mut key, 52, entropy);
    key.push_str("JQQJ99");
    let (year, month) = year_and_month(now);
    key.push(digit(year));
    key.push(digit(month));
    random(&mut key, 12, entropy);
    key.push_str("AAA");
    key.push(service.digit());
    key.push_str("ACOG");
    let checksum = checksum(&key).unwrap_or_default();
    key.push_str(&checksum);
    Secret::new(key)
}

fn random(text: &mut String, count: usize, entropy: &dyn Entropy) {
    let end = text.len() + count;
    let mut buffer = Secret::new([0; 64]);
    while text.len() < end {
        let mut bytes = *buffer.expose();
        entropy.fill(&mut bytes);
        buffer = Secret::new(bytes);
        // 248 is the largest multiple of 62 in a byte: taking the rest too would favour some characters.
        let fair = buffer.expose().iter().filter(|byte| **byte < 248);
        text.extend(fair.take(end - text.len()).map(|byte| char::from(BASE62[usize::from(byte % 62)])));
    }
}

/// Years since 2024 (a base64 digit, so until 2087) and the month from zero.
fn year_and_month(now: Timestamp) -> (usize, usize) {
    let text = now.rfc3339();
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|digits| digits.parse::<usize>().ok()).unwrap_or_default();
    (number(0..4).saturating_sub(2024).min(63), number(5..7).saturating_sub(1).min(11))
}

fn digit(value: usize) -> char {
    char::from(BASE64[value % 64])
}

fn checksum(body: &str) -> Option<String> {
    let bytes = STANDARD_NO_PAD.decode(body).ok()?;
    let hash = marvin32(&bytes, CHECKSUM_SEED);
    // The hash's little-endian bytes, read as one big-endian number.
    let mut number = ((hash >> 32) as u32 ^ hash as u32).swap_bytes();
    let mut digits = Vec::new();
    while number > 0 {
        digits.push(char::from(BASE62[(number % 62) as usize]));
        number /= 62;
    }
    let text: String = digits.into_iter().rev().chain(std::iter::repeat('0')).take(6).collect();
    Some(text[..4].to_owned())
}

/// Marvin32, the checksum function of the format (from SymCrypt).
fn marvin32(bytes: &[u8], seed: u64) -> u64 {
    let (mut low, mut high) = (seed as u32, (seed >> 32) as u32);
    let mut block = |word: u32| {
        low = low.wrapping_add(word);
        high ^= low;
        low = low.rotate_left(20).wrapping_add(high);
        high = high.rotate_left(9) ^ low;
        low = low.rotate_left(27).wrapping_add(high);
        high = high.rotate_left(19);
    };
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        block(u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    }
    let mut last = [0; 4];
    let rest = words.remainder();
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    block(u32::from_le_bytes(last));
    block(0);
    u64::from(high) << 32 | u64::from(low)
}

#[cfg(test)]
mod tests {
    use keyless_testkit::SeededEntropy;

    use super::*;

    #[test]
    fn checksum_function_reproduces_symcrypts_vectors() {
        assert_eq!(marvin32(b"abc", 0xd53c_d9ce_cd08_93b7), 0x22c7_4339_4927_69bf);
        assert_eq!(marvin32(b"abcdefghijklmnopqrstuvwxyz", 0x0ddd_deee_efff_f000), 0xa128_eb7e_7260_aca2);
        assert_eq!(marvin32(b"", 0x004f_b61a_001b_dbcc), 0x30ed_35c1_00cd_3c7d);
    }

    /// Whether the text is a key of this format with a right checksum. Says nothing about whether the key opens anything.
    fn is_well_formed(text: &str) -> bool {
        let shape = text.len() == BODY + 4 && text.bytes().all(|b| b.is_ascii_alphanumeric()) && &text[52..58] == "JQQJ99";
        shape && checksum(&text[..BODY]).is_some_and(|checksum| checksum == text[BODY..])
    }

    #[test]
    fn a_generated_key_has_azures_form_and_a_right_checksum() {
        let entropy = SeededEntropy::new(5);
        let now = Timestamp::parse_rfc3339("2026-11-21T00:00:00Z").unwrap();
        for _ in 0..500 {
            let key = generate(Service::OpenAi, now, &entropy);
            let key = key.expose();
            assert_eq!((key.len(), &key[52..60], &key[72..80]), (84, "JQQJ99CK", "AAABACOG"));
            assert!(is_well_formed(key));
        }
        assert_eq!(&generate(Service::AiServices, now, &entropy).expose()[72..80], "AAAAACOG");
    }

    #[test]
    fn a_changed_character_breaks_the_checksum() {
        let key = generate(Service::OpenAi, Timestamp::from_unix_secs(1_795_219_200), &SeededEntropy::new(6));
        for at in 0..84 {
            let mut changed = key.expose().clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(!is_well_formed(std::str::from_utf8(&changed).unwrap()), "character {at}");
        }
    }
}
