//! What is sealed opens in its own place and nowhere else.

use super::*;

const MASTER: [u8; 32] = [7; 32];

fn sealer() -> Sealer {
    Sealer::new(&MASTER)
}

#[test]
fn what_is_sealed_opens_in_its_own_place() {
    for text in ["", "张三", "13812341234"] {
        let sealed =
            sealer().seal(Purpose::PersonalData, text.as_bytes(), b"fees.payer fee_1").unwrap();
        assert!(!sealed.windows(6).any(|part| part == "张三".as_bytes()));
        let opened = sealer().open(Purpose::PersonalData, &sealed, b"fees.payer fee_1");
        assert_eq!(opened, Ok(text.as_bytes().to_vec()));
    }
}

#[test]
fn a_sealed_value_moved_to_another_row_does_not_open() {
    let sealed = sealer().seal(Purpose::PersonalData, b"x", b"fees.payer fee_1").unwrap();
    let opened = sealer().open(Purpose::PersonalData, &sealed, b"fees.payer fee_2");
    assert_eq!(opened, Err(SealError::Tampered));
}

#[test]
fn a_key_of_one_purpose_opens_nothing_of_another() {
    let sealed = sealer().seal(Purpose::Callback, b"x", b"").unwrap();
    for purpose in Purpose::ALL {
        assert_eq!(sealer().open(purpose, &sealed, b"").is_ok(), purpose == Purpose::Callback);
    }
}

#[test]
fn another_master_key_is_told_by_its_id_and_not_as_tampering() {
    let sealed = sealer().seal(Purpose::Call, b"x", b"").unwrap();
    let other = Sealer::new(&[8; 32]);
    let fault = other.open(Purpose::Call, &sealed, b"").unwrap_err();
    assert!(matches!(fault, SealError::OtherKey { .. }), "{fault}");
    assert!(fault.to_string().contains(&sealer().key_id(Purpose::Call)), "{fault}");
}

#[test]
fn any_changed_byte_is_noticed() {
    let sealed = sealer().seal(Purpose::Callback, b"twelve bytes", b"c").unwrap();
    for place in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        assert!(sealer().open(Purpose::Callback, &changed, b"c").is_err(), "byte {place}");
    }
    for length in 0..sealed.len() {
        assert!(sealer().open(Purpose::Callback, &sealed[..length], b"c").is_err(), "{length}");
    }
}

#[test]
fn the_same_text_sealed_twice_looks_different_but_has_one_index() {
    let seal = || sealer().seal(Purpose::PersonalData, b"13812341234", b"").unwrap();
    assert_ne!(seal(), seal());
    let index = |text| sealer().blind_index(Purpose::PersonalData, text);
    assert_eq!(index("13812341234"), index("13812341234"));
    assert_ne!(index("13812341234"), index("13812341235"));
    assert_ne!(index("x"), sealer().blind_index(Purpose::Callback, "x"));
}

/// Derived with Python's `hmac` and `hashlib` alone (HKDF by RFC 5869): a change here would make
/// every sealed value and every journal of an office unreadable.
#[test]
fn the_derivation_never_changes() {
    assert_eq!(sealer().key_id(Purpose::Journal), "6a274d5a");
    assert_eq!(
        hexadecimal(&sealer().mac(Purpose::Journal, b"entry")),
        "273726e86267fa97d1f9155404bd8b94709323c6c86457b97536f90d0a8233cc"
    );
    assert_eq!(
        hexadecimal(&sealer().api_key_hash("key")),
        "0f70632ba12bebf24ed167019e4ef28e432ff0c128922bc7e7631843e34aba1f"
    );
}

#[test]
fn the_derivation_is_hkdf_as_another_library_does_it() {
    for purpose in Purpose::ALL {
        let mut key = [0; 32];
        let hkdf = hkdf::Hkdf::<Sha256>::new(Some(SALT), &MASTER);
        hkdf.expand(purpose.label().as_bytes(), &mut key).unwrap();
        assert_eq!(derive(&MASTER, purpose).key.as_slice(), key);
    }
}

#[test]
fn nothing_of_the_keys_is_printed() {
    assert_eq!(format!("{:?}", sealer()), "Sealer(…)");
}
