use super::*;

fn read<T: std::str::FromStr>(text: &str) -> Result<T, T::Err> {
    text.parse()
}

#[test]
fn a_time_is_a_number_and_a_unit_and_is_shown_as_it_is_read() {
    for (text, secs) in [("90s", 90), ("30m", 1800), ("8h", 28_800), ("2d", 172_800), ("24h5m", 86_700)] {
        assert_eq!(read::<TimeSpan>(text).unwrap().as_secs(), secs);
    }
    for secs in [1, 60, 86_700, 90 * 86_400] {
        assert_eq!(read::<TimeSpan>(&TimeSpan::secs(secs).to_string()), Ok(TimeSpan::secs(secs)));
    }
    for wrong in ["", "8", "h", "0h", "-1h", "1w", "5m1h", "1h1h", "99999999999d", "1.5h", "1 h"] {
        assert!(read::<TimeSpan>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_size_is_a_number_and_a_unit_and_is_shown_as_it_is_read() {
    for (text, bytes) in [("256MiB", 256 << 20), ("500MB", 500_000_000), ("50GB", 50_000_000_000), ("1TB", 1_000_000_000_000)] {
        assert_eq!(read::<ByteSize>(text).unwrap().bytes(), bytes);
        assert_eq!(read::<ByteSize>(text).unwrap().to_string(), text);
    }
    for wrong in ["", "50", "GB", "0GB", "-1GB", "1.5GB", "50gb", "99999999999999TB"] {
        assert!(read::<ByteSize>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn only_addresses_of_this_machine_are_listened_on() {
    for (text, shown) in [("0", "localhost:0"), ("localhost:1", "localhost:1"), ("127.0.0.2:1", "127.0.0.2:1"), ("[::1]:1", "[::1]:1")] {
        assert_eq!(read::<ListenAddress>(text).unwrap().to_string(), shown);
    }
    for outside in ["0.0.0.0:8443", "[::]:8443", "10.0.0.1:8443"] {
        assert!(read::<ListenAddress>(outside).unwrap_err().contains("write localhost:8443"), "{outside}");
    }
    for wrong in ["", "70000", "localhost", "example.com:1", "localhost:x", ":8443"] {
        assert!(read::<ListenAddress>(wrong).unwrap_err().contains("is no address"), "{wrong}");
    }
}

#[test]
fn a_web_address_holds_no_credential_and_its_refusal_repeats_none() {
    for right in ["http://127.0.0.1:11434", "https://models.example/v1/"] {
        assert_eq!(read::<WebAddress>(right).unwrap().to_string(), right);
    }
    for wrong in
        ["", "/v1", "ftp://x", "http://", "https://ada:hunter2@models.example", "https://models.example?key=hunter2", "http://x/#hunter2"]
    {
        let error = read::<WebAddress>(wrong).unwrap_err();
        assert!(error.contains("; write ") && !error.contains("hunter2"), "{wrong}: {error}");
    }
}
