//! Policies that are signed without a key: by certificates of a Sigstore of our own, which the real openssl makes, and whose log has
//! one entry each. What the public one has made is verified by the unit tests of `berth-oci`.

use berth_base::clock::{Clock as _, SystemClock};

use super::*;

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const WORKFLOW: &str = "https://github.com/acme/policies/.github/workflows/release.yml@refs/tags/v1.0.0";

/// A Sigstore: what certifies who signs, and a log of signatures.
struct Sigstore {
    authority: Key,
    log: Key,
}

/// Somebody with a key that is certified for an hour.
struct Signer {
    key: Key,
    /// The certificate as PEM and as DER.
    pem: String,
    certificate: Vec<u8>,
}

async fn openssl(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(arguments);
    run(command).await.stdout
}

async fn der(folder: &Path, what: &str, file: &str) -> Vec<u8> {
    openssl(folder, &[what, "-in", file, "-outform", "DER"]).await
}

impl Sigstore {
    async fn found() -> Self {
        let (authority, log) = (Key::make(true).await, Key::make(true).await);
        let conf = "[req]\ndistinguished_name=name\nprompt=no\nx509_extensions=v3\n[name]\nO=acme\nCN=acme sigstore\n[v3]\n\
                    basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n";
        std::fs::write(authority.folder.path().join("ca.cnf"), conf).unwrap();
        let make = ["req", "-x509", "-new", "-key", "key.pem", "-config", "ca.cnf", "-days", "3650", "-out", "ca.crt"];
        openssl(authority.folder.path(), &make).await;
        Self { authority, log }
    }

    async fn id_of_log(&self) -> (Vec<u8>, Vec<u8>) {
        let public = openssl(self.log.folder.path(), &["pkey", "-in", "key.pem", "-pubout", "-outform", "DER"]).await;
        let id = hex::decode(Digest::of(&public).as_str()).unwrap();
        (public, id)
    }

    /// Its `trusted_root.json`.
    async fn root(&self) -> Value {
        let since = json!({"start": "2020-01-01T00:00:00Z"});
        let certificate = der(self.authority.folder.path(), "x509", "ca.crt").await;
        let (public, id) = self.id_of_log().await;
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [{
                "baseUrl": "https://log.acme.example", "hashAlgorithm": "SHA2_256", "logId": {"keyId": STANDARD.encode(id)},
                "publicKey": {"rawBytes": STANDARD.encode(public), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": since},
            }],
            "certificateAuthorities": [{
                "subject": {"organization": "acme", "commonName": "acme sigstore"}, "uri": "https://ca.acme.example",
                "certChain": {"certificates": [{"rawBytes": STANDARD.encode(certificate)}]}, "validFor": since,
            }],
        })
    }

    /// Certifies that somebody has a key, which an issuer vouches for.
    async fn certify(&self, issuer: &str, subject: &str) -> Signer {
        let key = Key::make(true).await;
        let (own, ca) = (key.folder.path(), self.authority.folder.path());
        let extensions = format!(
            "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nsubjectAltName=critical,URI:{subject}\n\
             1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:{issuer}\n"
        );
        std::fs::write(own.join("ext.cnf"), extensions).unwrap();
        openssl(own, &["req", "-new", "-key", "key.pem", "-subj", "/", "-out", "asked.csr"]).await;
        let (certificate, secret) = (ca.join("ca.crt"), ca.join("key.pem"));
        let by = ["-CA", certificate.to_str().unwrap(), "-CAkey", secret.to_str().unwrap(), "-CAcreateserial"];
        let make = ["x509", "-req", "-in", "asked.csr", "-days", "1", "-extfile", "ext.cnf", "-out", "own.crt"];
        openssl(own, &[&make[..], &by].concat()).await;
        let pem = std::fs::read_to_string(own.join("own.crt")).unwrap();
        let certificate = der(own, "x509", "own.crt").await;
        Signer { key, pem, certificate }
    }

    /// The entry that is the only one of its log.
    async fn entry(&self, kind: &str, body: &Value) -> Value {
        let (body, at) = (body.to_string(), now());
        let (_, id) = self.id_of_log().await;
        let told =
            json!({"body": STANDARD.encode(&body), "integratedTime": at, "logID": hex::encode(&id), "logIndex": 0});
        let promise = self.log.sign_in_base64(told.to_string().as_bytes()).await;
        let root = hex::decode(Digest::of(&[&[0], body.as_bytes()].concat()).as_str()).unwrap();
        let note = format!("log.acme.example\n1\n{}\n", STANDARD.encode(&root));
        let signed = [&id[..4], &self.log.sign(note.as_bytes()).await].concat();
        let note = format!("{note}\n\u{2014} log.acme.example {}\n", STANDARD.encode(signed));
        json!({
            "logIndex": "0", "logId": {"keyId": STANDARD.encode(&id)}, "kindVersion": {"kind": kind, "version": "0.0.1"},
            "integratedTime": at.to_string(), "inclusionPromise": {"signedEntryTimestamp": promise},
            "inclusionProof": {"logIndex": "0", "rootHash": STANDARD.encode(root), "treeSize": "1", "hashes": [],
                "checkpoint": {"envelope": note}},
            "canonicalizedBody": STANDARD.encode(body),
        })
    }

    /// The bundle of a file, as `cosign sign-blob` writes it.
    async fn of_file(&self, signer: &Signer, wasm: &[u8]) -> Value {
        let signature = signer.key.sign_in_base64(wasm).await;
        let hash = json!({"algorithm": "sha256", "value": Digest::of(wasm)});
        let body = json!({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {"data": {"hash": hash},
            "signature": {"content": signature, "publicKey": {"content": STANDARD.encode(&signer.pem)}}}});
        let digest = STANDARD.encode(hex::decode(Digest::of(wasm).as_str()).unwrap());
        json!({"mediaType": BUNDLE, "verificationMaterial": self.material(signer, "hashedrekord", &body).await,
            "messageSignature": {"messageDigest": {"algorithm": "SHA2_256", "digest": digest}, "signature": signature}})
    }

    /// The bundle of an artefact, as `cosign sign` puts it into the registry.
    async fn of_artefact(&self, signer: &Signer, statement: &str) -> Value {
        let envelope = envelope(&signer.key, statement).await;
        let hash = |text: &str| json!({"algorithm": "sha256", "value": Digest::of(text.as_bytes())});
        let by = json!({"signature": envelope["signatures"][0]["sig"], "verifier": STANDARD.encode(&signer.pem)});
        let body = json!({"apiVersion": "0.0.1", "kind": "dsse", "spec": {
            "envelopeHash": hash(&envelope.to_string()), "payloadHash": hash(statement), "signatures": [by]}});
        let material = self.material(signer, "dsse", &body).await;
        json!({"mediaType": BUNDLE, "verificationMaterial": material, "dsseEnvelope": envelope})
    }

    async fn material(&self, signer: &Signer, kind: &str, body: &Value) -> Value {
        let entry = self.entry(kind, body).await;
        json!({"certificate": {"rawBytes": STANDARD.encode(&signer.certificate)}, "tlogEntries": [entry]})
    }
}

/// The moment, in seconds since 1970.
fn now() -> u64 {
    SystemClock.now().0.unsigned_abs() / 1000
}

async fn trust_identity(admin: &Api, scope: &Value, name: &str, subject: &str) -> Answer {
    let identity = json!({"issuer": GITHUB, "subject": subject});
    admin.post("/v1/policy-keys", json!({"scope": scope, "name": name, "identity": identity})).await
}

/// The same host, which verifies by a Sigstore of its own.
async fn with_root(scene: Scene, root: &Value) -> (Scene, TempDir) {
    let (folder, file) = in_file("trusted_root.json", root.to_string().as_bytes());
    let host = scene.host.again(|config| config.registries.sigstore_root = Some(file.clone())).await;
    let admin = host.admin();
    (Scene { host, admin, ..scene }, folder)
}

on_both! {
    async fn g23_a_file_that_a_trusted_identity_signed_needs_no_key(host) {
        let sigstore = Sigstore::found().await;
        let (scene, _folder) = with_root(Scene::set(host).await, &sigstore.root().await).await;
        let (platform, wasm) = (json!({"level": "platform"}), guests::auditor("no-eval", Manner::Agrees));
        let signer = sigstore.certify(GITHUB, WORKFLOW).await;
        let bundle = sigstore.of_file(&signer, &wasm).await.to_string();
        upload(&scene.admin, wasm.clone(), Some(&bundle)).await.refused("policy-signature-wrong");
        for anybody in ["https://github.com/*", "*", ""] {
            trust_identity(&scene.admin, &platform, "anybody", anybody).await.refused("invalid-field");
        }
        let both = json!({"scope": platform, "name": "both", "key": Key::make(true).await.public,
            "identity": {"issuer": GITHUB, "subject": WORKFLOW}});
        scene.admin.post("/v1/policy-keys", both).await.refused("invalid-field");
        let release = "https://github.com/acme/policies/.github/workflows/release.yml@*";
        let trusted = trust_identity(&scene.admin, &platform, "ci", release).await.good();
        assert_eq!((&trusted["algorithm"], &trusted["identity"]["subject"]), (&json!("identity"), &json!(release)));
        trust_identity(&scene.admin, &platform, "again", release).await.refused("trusted-key-exists");
        scene.admin.put("/v1/policy-signing", json!({"scope": platform, "required": true})).await.good();

        // What nobody who is trusted has signed, of whatever is wrong with it.
        let other = guests::auditor("no-maps", Manner::Agrees);
        let stranger = sigstore.certify(GITHUB, "https://github.com/acme-evil/policies/release.yml@refs/heads/main").await;
        let elsewhere = sigstore.certify("https://gitlab.com", WORKFLOW).await;
        let forged = Sigstore::found().await;
        let impostor = forged.certify(GITHUB, WORKFLOW).await;
        let mut unlogged = sigstore.of_file(&signer, &wasm).await;
        unlogged["verificationMaterial"]["tlogEntries"] = json!([]);
        let mut promised = sigstore.of_file(&signer, &wasm).await;
        promised["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = json!((now() - 60).to_string());
        let mut borrowed = sigstore.of_file(&signer, &wasm).await;
        borrowed["verificationMaterial"]["certificate"]["rawBytes"] = json!(STANDARD.encode(&stranger.certificate));
        for (bad, why) in [
            (sigstore.of_file(&signer, &other).await, "other bytes"),
            (sigstore.of_file(&stranger, &wasm).await, "another identity"),
            (sigstore.of_file(&elsewhere, &wasm).await, "another provider"),
            (forged.of_file(&impostor, &wasm).await, "another Sigstore"),
            (sigstore.of_file(&impostor, &wasm).await, "a certificate of another Sigstore in this log"),
            (unlogged, "no log"),
            (promised, "another time than the log has promised"),
            (borrowed, "the certificate of somebody else"),
        ] {
            let refused = upload(&scene.admin, wasm.clone(), Some(&bad.to_string())).await;
            assert_eq!(refused.kind(), "policy-signature-wrong", "{why}");
        }
        assert_eq!(scene.admin.get("/v1/policies/no-eval").await.status, 404);

        let (folder, file) = in_file("no-eval.wasm", &wasm);
        let beside = folder.path().join("no-eval.sigstore.json");
        std::fs::write(&beside, &bundle).unwrap();
        let (file, beside) = (file.to_str().unwrap(), beside.to_str().unwrap());
        let pushed = berth_json(&scene.admin, &["policy", "push", file, "--signature", beside]).await;
        let signed = &pushed["signed_by"][0];
        assert_eq!((&signed["name"], &signed["identity"]["subject"]), (&json!("ci"), &json!(WORKFLOW)));
        scene.admin.post("/v1/policy-bindings", bound("no-eval", "coffee")).await.good();
        let listed = run(berth(&scene.admin, &["policy", "trust", "list"])).await;
        assert!(String::from_utf8_lossy(&listed.stdout).contains(release), "{listed:?}");
        let shown = run(berth(&scene.admin, &["policy", "inspect", "no-eval"])).await;
        assert!(String::from_utf8_lossy(&shown.stdout).contains(WORKFLOW), "{shown:?}");
    }

    async fn g23_an_artefact_that_a_trusted_identity_signed_is_pulled(host) {
        let sigstore = Sigstore::found().await;
        let (scene, _folder) = with_root(Scene::set(host).await, &sigstore.root().await).await;
        let (shelf, platform) = (Shelf::open().await, json!({"level": "platform"}));
        let wasm = guests::auditor("no-eval", Manner::Agrees);
        let manifest = shelf.artefact("1", &[("application/wasm", &wasm)]);
        let signer = sigstore.certify(GITHUB, WORKFLOW).await;
        // By the command, for the whole of an organisation.
        let add = ["policy", "trust", "add", "acme", "--issuer", GITHUB, "--identity", "https://github.com/acme/*"];
        berth_json(&scene.admin, &add).await;
        scene.admin.put("/v1/policy-signing", json!({"scope": platform, "required": true})).await.good();
        let scanned = statement(&manifest).replace("cosign/sign/v1", "attestation/vuln/v1");
        for bad in [scanned, statement(&Digest::of(b"another artefact"))] {
            shelf.refer(&manifest, &sigstore.of_artefact(&signer, &bad).await.to_string());
            pull(&scene.admin, &shelf.reference(":1")).await.refused("policy-signature-wrong");
        }
        let forged = Sigstore::found().await;
        let impostor = forged.certify(GITHUB, WORKFLOW).await;
        shelf.refer(&manifest, &forged.of_artefact(&impostor, &statement(&manifest)).await.to_string());
        let refused = pull(&scene.admin, &shelf.reference(":1")).await.refused("policy-signature-wrong");
        assert!(text(&refused["detail"]).contains("certificate"), "{refused}");

        shelf.refer(&manifest, &sigstore.of_artefact(&signer, &statement(&manifest)).await.to_string());
        let pulled = pull(&scene.admin, &shelf.reference(":1")).await.good();
        let signed = &pulled["signed_by"][0];
        assert_eq!((&signed["name"], &signed["signed"]), (&json!("acme"), &json!("artefact")));
        assert_eq!(signed["identity"], json!({"issuer": GITHUB, "subject": WORKFLOW}));
    }

    async fn g23_an_identity_is_trusted_on_the_page_of_trusted_keys(host) {
        let scene = Scene::set(host).await;
        let (browser, here) = (Browser::signed_in(&scene.host, &scene.host.admin_token).await, "/ui/policy-trust?level=platform");
        let send = async |subject| browser.send(here, &[("name", "ci"), ("issuer", GITHUB), ("subject", subject)]).await;
        let page = send("https://github.com/*").await;
        assert!(page.html.contains("id=\"subject-wrong\"") && page.html.contains("<details open>"), "{}", page.html);
        assert!(page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
        let page = send("https://github.com/acme/*").await;
        assert!(page.says("ci is trusted.") && page.says("https://github.com/acme/*") && page.says(GITHUB), "{}", page.html);
        assert!(page.says("Certificate for an identity") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
    }
}
