use super::*;

const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const APP: &str = "wxb11529c136998cb6";

fn crypt(token: &str, key: &str, app_id: &str) -> Crypt {
    Crypt::new(token.parse().unwrap(), &key.parse().unwrap(), app_id).unwrap()
}

/// Encrypts bytes as they are, whether or not they are a valid plaintext.
fn encrypted(crypt: &Crypt, plain: &[u8]) -> String {
    let mut bytes = plain.to_vec();
    let (blocks, rest) = Block::<Aes256>::slice_as_chunks_mut(&mut bytes);
    assert!(rest.is_empty());
    cbc::Encryptor::<Aes256>::new((&*crypt.key).into(), (&crypt.iv()).into()).encrypt_blocks(blocks);
    LENIENT.encode(bytes)
}

/// A plaintext with this length field, message, receiver and padding.
fn plain(length: u32, message: &str, receiver: &str, pad: &[u8]) -> Vec<u8> {
    [b"aaaabbbbccccdddd", &length.to_be_bytes()[..], message.as_bytes(), receiver.as_bytes(), pad].concat()
}

#[test]
fn f101_official_vector_of_the_url_verification() {
    let key = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
    let text = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==";
    let crypt = crypt("QDG6eK", key, "wx5823bf96d3bd56c7");
    assert_eq!(crypt.sign("1409659589", "263014780", text), "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3");
    assert_eq!(crypt.decrypt(text).unwrap(), b"1616140317555161061");
}

#[test]
fn f101_official_vector_of_an_encrypted_message() {
    let text = "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg==";
    let crypt = crypt("pamtest", KEY, APP);
    assert_eq!(crypt.encrypt(*b"aaaabbbbccccdddd", "我是中文abcd123".as_bytes()), text);
    assert_eq!(crypt.decrypt(text).unwrap(), "我是中文abcd123".as_bytes());
}

#[test]
fn f101_official_vector_of_a_component_reply() {
    let text = "hE8R6mGXHkJJjU72KxzKUd1GEkKJaEZq7vRL8XgK3o+00k8JGq6+pZJUIlTSyhsX+bxIBQ72g3GyvDdIZcr6+3HAZbSvPT9t/o11MI7d6WELwqrGd7jMnV0zv3Zc9Nq7";
    let message = "<xml><demo_resp>[CDATA[good luck]]</demo_resp></xml>";
    let crypt = crypt("AAAAA", &"A".repeat(43), "wx134c8103faa5a59e");
    assert_eq!(crypt.encrypt(*b"999951349e8ee746", message.as_bytes()), text);
    assert_eq!(crypt.sign("1713424427", "415670741", text), "03e0812039325c2712ef5f0f980fd14c70d6e307");
}

#[test]
fn f101_every_pad_from_1_to_32_is_read_and_nothing_is_trimmed() {
    let crypt = crypt("t", KEY, APP);
    let mut pads = std::collections::BTreeSet::new();
    for length in 0..64 {
        let message = format!("{} ", "x".repeat(length));
        let text = crypt.encrypt([length as u8; 16], message.as_bytes());
        pads.insert(PAD - (HEAD + message.len() + APP.len()) % PAD);
        assert_eq!(crypt.decrypt(&text).unwrap(), message.as_bytes());
    }
    assert_eq!(pads.len(), 32);
}

#[test]
fn f101_wrong_pads_and_lengths_are_refused() {
    let crypt = crypt("t", KEY, APP);
    // 20 + 8 + 18 = 46 bytes, so 18 of padding.
    let (message, pad) = ("<xml/>..", [18u8; 18]);
    assert_eq!(crypt.decrypt(&encrypted(&crypt, &plain(8, message, APP, &pad))).unwrap(), message.as_bytes());
    let refused = |plain: &[u8]| crypt.decrypt(&encrypted(&crypt, plain)).unwrap_err();
    for wrong in [[0u8; 18], [33; 18], [255; 18], [17; 18].map(|_| 19)] {
        assert_eq!(refused(&plain(8, message, APP, &wrong)), CryptError::Buffer, "{wrong:?}");
    }
    let mut mixed = pad;
    mixed[3] = 1;
    assert_eq!(refused(&plain(8, message, APP, &mixed)), CryptError::Buffer);
    for length in [27, 1 << 20, u32::MAX] {
        assert_eq!(refused(&plain(length, message, APP, &pad)), CryptError::Buffer, "{length}");
    }
    assert_eq!(refused(&plain(7, message, APP, &pad)), CryptError::AppId, "one character slipped");
    assert_eq!(refused(&[16; 16]), CryptError::Buffer, "nothing but padding");
    assert_eq!(refused(&[&[0u8; 28][..], &[4; 4]].concat()), CryptError::AppId, "no receiver");
}

#[test]
fn f101_the_wrong_receiver_is_refused() {
    let text = crypt("t", KEY, "wxanother000000000").encrypt([0; 16], b"<xml/>");
    assert_eq!(crypt("t", KEY, APP).decrypt(&text), Err(CryptError::AppId));
}

#[test]
fn f101_what_is_no_cipher_text_is_refused() {
    let crypt = crypt("t", KEY, APP);
    assert_eq!(crypt.decrypt("not base64 !"), Err(CryptError::Base64));
    assert_eq!(crypt.decrypt(""), Err(CryptError::Decrypt));
    assert_eq!(crypt.decrypt("AAAA"), Err(CryptError::Decrypt));
}

fn push(crypt: &Crypt, message: &str, at: i64) -> (Envelope, String) {
    let text = crypt.encrypt([7; 16], message.as_bytes());
    let (timestamp, nonce) = (at.to_string(), "42".to_owned());
    let msg_signature = crypt.sign(&timestamp, &nonce, &text);
    (Envelope { timestamp, nonce, msg_signature }, format!("<xml><Encrypt><![CDATA[{text}]]></Encrypt></xml>"))
}

#[test]
fn f101_a_push_is_read_when_it_is_signed_and_recent() {
    let crypt = crypt("t", KEY, APP);
    let now = Millis(1_900_000_000_000);
    let (envelope, body) = push(&crypt, "<xml><InfoType>authorized</InfoType></xml>", 1_900_000_000 - TOLERANCE);
    assert_eq!(crypt.read(&envelope, &body, now).unwrap()["InfoType"], "authorized");
    assert_eq!(crypt.read(&envelope, &body, now.plus_seconds(1)), Err(CryptError::Stale), "a replay");
    assert_eq!(crypt.read(&envelope, "no XML", now), Err(CryptError::Xml));
    let forged = Envelope { nonce: "43".into(), ..envelope.clone() };
    assert_eq!(crypt.read(&forged, &body, now), Err(CryptError::Signature));
    for signature in ["", "0", &"0".repeat(40), &envelope.msg_signature[..39]] {
        let forged = Envelope { msg_signature: signature.into(), ..envelope.clone() };
        assert_eq!(crypt.read(&forged, &body, now).unwrap_err().code(), -40001);
    }
    let (envelope, body) = push(&crypt, "<!DOCTYPE a><xml/>", 1_900_000_000);
    assert_eq!(crypt.read(&envelope, &body, now), Err(CryptError::Xml), "a DOCTYPE inside");
}

#[test]
fn f101_keys_that_are_none_are_refused_and_not_repeated() {
    for key in ["", "short", &"!".repeat(43), &"A".repeat(44)] {
        let said = Crypt::new("t".parse().unwrap(), &key.parse().unwrap(), APP).unwrap_err().to_string();
        assert!(said.contains("43") && (key.is_empty() || !said.contains(key)), "{said}");
    }
}
