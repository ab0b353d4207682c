use super::*;
use crate::model::{Imported, Letters, Origin, Separators};

const OURS: HashParams = HashParams {
    memory_kib: 19_456,
    passes: 2,
    lanes: 1,
};

fn code(text: &str) -> ForeignCode {
    let exact = Imported {
        origin: Origin::Phc,
        letters: Letters::Kept,
        separators: Separators::Kept,
    };
    exact.read(text).unwrap()
}

/// Published test vectors: crypt_blowfish's wrapper.c, the reference Argon2's test.c, RFC 7914
/// (sections 11 and 12), passlib's documentation; the last three by Python's hashlib.
const KNOWN: [(&str, &str); 14] = [
    (
        "U*U",
        "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    ),
    (
        "U*U*",
        "$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
    ),
    (
        "U*U*U",
        "$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
    ),
    (
        "password",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
    ),
    (
        "password",
        "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
    ),
    (
        "password",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    ),
    (
        "password",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    ),
    (
        "password",
        "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA",
    ),
    (
        "Password",
        "$pbkdf2-sha256$i=80000$TmFDbA$TdzY9guYviGDDO5e8icB+WQaRBjQTAQUrv8Ih2s0q1ah1CWhIlgzVJrbhBtRybMXaicr3ruh0HhHj2Kzl/M8jQ",
    ),
    (
        "password",
        "$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44",
    ),
    (
        "toomanysecrets",
        "$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk",
    ),
    (
        "ABCD-efgh",
        "$scrypt$ln=10,r=8,p=2$c2FsdHNhbHQ$y2thv/sIvbP9C+uVRzms0aco/OeXPMMipx/Us53foSY",
    ),
    (
        "ABCD-efgh",
        "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHQ$NYlr1guYm0kv27CdXn8MAgsEI85ZvZj/+MvBILVEVIA",
    ),
    (
        "ABCD-efgh",
        "$pbkdf2-sha512$i=1000$c2FsdHNhbHQ$IyuXRAOQ+iI04LMnTQrtyCkwMvOH9/NBE3xjv1CHe+p/nPAxdKWqrcThed4QXPpE1rNWS/EmIp+0e1/oYLKBkA",
    ),
];

/// Whether this text digests to this verifier, through what is stored of it.
fn verifies(text: &str, verifier: &str) -> bool {
    let (recipe, digest) = Recipe::of_verifier(verifier).unwrap();
    let stored = recipe.text();
    let (_, secret) = verifier.split_at(verifier.len() - 20);
    assert!(!stored.contains(secret), "the digest is in {stored}");
    let recipe = Recipe::of_text(&stored).unwrap();
    assert_eq!(recipe.text(), stored);
    recipe.run(&code(text), &mut Memory::new()).unwrap() == digest
}

// Row L16: what old systems hashed stays verifiable.
#[test]
fn published_verifiers_are_verified_and_nothing_else_is() {
    for (text, verifier) in KNOWN {
        assert!(verifies(text, verifier), "{verifier}");
        let other = text.to_owned() + "x";
        assert!(!verifies(&other, verifier), "{verifier}");
    }
}

#[test]
fn what_costs_nothing_is_digested_on_the_spot() {
    let plain = Recipe::plain().quick(&code("ABCD")).unwrap();
    assert_eq!(plain.as_slice(), b"ABCD");
    // As published beside an independent implementation of Keycloak's form.
    let sha512 = Recipe::sha512().quick(&code("ABCDEFGHJKLM")).unwrap();
    assert_eq!(
        data_encoding::BASE64.encode(&sha512),
        "p+DMhIoz853kiiNUFbBrZwlDskNronzXZ6sjwawFZoDLeSxlPeAWy3h3KHkiJEWa\
         +OtxAZ4qv0CY8+v2QRq2iA=="
    );
    for (_, verifier) in KNOWN {
        let (recipe, _) = Recipe::of_verifier(verifier).unwrap();
        assert!(recipe.is_slow() && recipe.quick(&code("x")).is_none());
    }
    for recipe in [Recipe::plain(), Recipe::sha512()] {
        let again = Recipe::of_text(&recipe.text()).unwrap();
        assert_eq!((again.text(), again.is_slow()), (recipe.text(), false));
    }
}

const DIGEST: &str = "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

fn refused(head: &str) -> Unfit {
    let verifier = format!("{head}$c29tZXNhbHQ${DIGEST}");
    Recipe::of_verifier(&verifier).map(drop).unwrap_err()
}

#[test]
fn what_is_no_verifier_is_refused() {
    let long = format!(
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ${}",
        "A".repeat(600)
    );
    for unknown in [
        "",
        "$",
        "ABCD-EFGH",
        "$1$salt$digest",
        "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$05$CCCCCCCCCCCCCCCCC",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$not base64",
        &long,
    ] {
        let refused = Recipe::of_verifier(unknown).map(drop).unwrap_err();
        assert_eq!(refused, Unfit::Unknown, "{unknown}");
    }
    for unknown in [
        "$argon2id$v=18$m=256,t=2,p=1",
        "$argon2id$v=19$m=256,t=2",
        "$argon2id$v=19$t=2,m=256,p=1",
        "$argon2id$v=19$m=256,t=2,p=1,keyid=aGk",
        "$argon2id$v=19$m=+256,t=2,p=1",
        "$scrypt$ln=10,r=8",
        "$pbkdf2-sha1$i=1000",
        "$pbkdf2-sha256$i=many",
    ] {
        assert_eq!(refused(unknown), Unfit::Unknown, "{unknown}");
    }
    for unsound in [
        "$argon2id$v=19$m=256,t=0,p=1",
        "$argon2id$v=19$m=1,t=1,p=4",
        "$argon2id$v=19$m=256,t=1,p=17",
        "$pbkdf2-sha256$i=0",
        "$pbkdf2-sha256$i=1000,l=16",
        "$scrypt$ln=63,r=8,p=1",
        "$scrypt$ln=10,r=0,p=1",
    ] {
        assert_eq!(refused(unsound), Unfit::Unsound, "{unsound}");
    }
    for unsound in [
        "$2a$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$32$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        // A digest that anything matches.
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65",
    ] {
        let refused = Recipe::of_verifier(unsound).map(drop).unwrap_err();
        assert_eq!(refused, Unfit::Unsound, "{unsound}");
    }
}

// Row S13: the cost of an attempt is bounded before the first is made.
#[test]
fn memory_and_work_are_known_before_anything_is_run() {
    let of = |head: &str| {
        let verifier = format!("{head}$c29tZXNhbHQ${DIGEST}");
        Recipe::of_verifier(&verifier).unwrap().0
    };
    let argon2 = |cost: &str| of(&format!("$argon2id$v=19${cost},p=1"));
    let scrypt = |cost: &str| of(&format!("$scrypt${cost},p=1"));
    assert_eq!(argon2("m=19456,t=9").fits(OURS), Ok(()));
    assert_eq!(argon2("m=19457,t=1").fits(OURS), Err(Unfit::Memory));
    // 16 MiB, and 32.
    assert_eq!(scrypt("ln=14,r=8").fits(OURS), Ok(()));
    assert_eq!(scrypt("ln=15,r=8").fits(OURS), Err(Unfit::Memory));
    assert_eq!(scrypt("ln=40,r=1024").fits(OURS), Err(Unfit::Memory));

    assert_eq!(argon2("m=19456,t=2").work(), argon2_work(OURS));
    let bcrypt = |cost: u32| {
        let verifier =
            format!("$2b${cost:02}$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
        Recipe::of_verifier(&verifier).unwrap().0.work()
    };
    let pbkdf2 = |name: &str, i: u32| of(&format!("$pbkdf2-{name}$i={i}")).work();
    let all = argon2_work(OURS) * WORK_MAX;
    for ten_fit in [
        bcrypt(10),
        pbkdf2("sha256", 600_000),
        pbkdf2("sha512", 210_000),
        scrypt("ln=14,r=8").work(),
    ] {
        assert!(10 * ten_fit <= all, "{ten_fit}");
    }
    assert!(10 * bcrypt(12) > all && bcrypt(31) > all);
    assert!(2 * pbkdf2("sha256", u32::MAX) > all);
}

#[test]
fn a_recipe_shows_nothing_of_itself() {
    assert_eq!(format!("{:?}", Recipe::sha512()), "Recipe(…)");
}
