//! Policies that are shipped by OCI registries, and signed: against Debian's registry, by oras as others use it and by the real openssl,
//! and against a stand-in for what no good registry does.

mod keyless;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Output,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth_base::ids::Digest;
use berth_judge::with_metadata;
use berth_model::policy::PolicyMetadata;
use berth_tests::{
    Answer, Api,
    browser::Browser,
    guests::{self, Manner},
    http, on_both,
    process::berth,
    scene::{Scene, person, text},
    there_is,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, process::Command, task::JoinHandle};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// The registry that is open to all, and the one that knows ann.
fn registries() -> Option<(String, String)> {
    let both = there_is("BERTH_TEST_REGISTRY")?;
    let (open, closed) = both.split_once(',').unwrap();
    Some((open.to_owned(), closed.to_owned()))
}

/// The name of a repository that no other test has.
fn repository(name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let random = folder.path().file_name().unwrap().to_str().unwrap().to_lowercase().replace('.', "");
    format!("{random}/{name}")
}

async fn run(mut command: Command) -> Output {
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

async fn berth_json(api: &Api, arguments: &[&str]) -> Value {
    serde_json::from_slice(&run(berth(api, &[arguments, &["--json"]].concat())).await.stdout).unwrap()
}

/// Publishes a policy as its author does, by the command.
async fn publish(api: &Api, file: &Path, reference: &str) -> Value {
    berth_json(api, &["policy", "publish", file.to_str().unwrap(), reference]).await
}

/// Puts files into a registry by oras, each as `FILE:TYPE`, with remarks on the layers. Tells the digest of the manifest.
async fn oras(python: &str, folder: &Path, target: &str, files: &[String], remarks: &Value) -> String {
    const SCRIPT: &str = "import sys, oras.client
target, remarks, *files = sys.argv[1:]
client = oras.client.OrasClient(hostname=target.split('/')[0], insecure=True)
answer = client.push(target=target, files=files, annotation_file=remarks)
print(answer.headers['Docker-Content-Digest'])";
    std::fs::write(folder.join("remarks.json"), remarks.to_string()).unwrap();
    let mut command = Command::new(python);
    command.current_dir(folder).args(["-c", SCRIPT, target, "remarks.json"]).args(files).env("NO_PROXY", "*");
    String::from_utf8(run(command).await.stdout).unwrap().lines().last().unwrap().to_owned()
}

/// The bytes of a digest, as oras brings them, in hexadecimal.
async fn by_oras(python: &str, target: &str, digest: &str) -> String {
    const SCRIPT: &str = "import sys, oras.client
target, digest = sys.argv[1:]
client = oras.client.OrasClient(hostname=target.split('/')[0], insecure=True)
print(client.get_blob(target, digest).content.hex())";
    let mut command = Command::new(python);
    command.args(["-c", SCRIPT, target, digest]).env("NO_PROXY", "*");
    String::from_utf8(run(command).await.stdout).unwrap().trim().to_owned()
}

/// A key pair of the real openssl.
struct Key {
    folder: TempDir,
    is_p256: bool,
    public: String,
}

impl Key {
    async fn make(is_p256: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kind: &[&str] = if is_p256 {
            &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        } else {
            &["-algorithm", "ed25519"]
        };
        let openssl = |arguments: &[&str]| {
            let mut command = Command::new("openssl");
            command.current_dir(folder.path()).args(arguments);
            command
        };
        run(openssl(&[&["genpkey", "-out", "key.pem"], kind].concat())).await;
        let public = run(openssl(&["pkey", "-in", "key.pem", "-pubout"])).await.stdout;
        let public = String::from_utf8(public).unwrap();
        Self { folder, is_p256, public }
    }

    /// The signature of a message, as openssl writes it.
    async fn sign(&self, message: &[u8]) -> Vec<u8> {
        std::fs::write(self.folder.path().join("message"), message).unwrap();
        let mut command = Command::new("openssl");
        command.current_dir(self.folder.path());
        match self.is_p256 {
            true => command.args(["dgst", "-sha256", "-sign", "key.pem", "-out", "signature", "message"]),
            false => {
                command.args(["pkeyutl", "-sign", "-rawin", "-inkey", "key.pem", "-in", "message", "-out", "signature"])
            }
        };
        run(command).await;
        std::fs::read(self.folder.path().join("signature")).unwrap()
    }

    async fn sign_in_base64(&self, message: &[u8]) -> String {
        STANDARD.encode(self.sign(message).await)
    }
}

async fn upload(admin: &Api, wasm: Vec<u8>, signature: Option<&str>) -> Answer {
    let query = signature.map(|text| {
        format!("?{}", form_urlencoded::Serializer::new(String::new()).append_pair("signature", text).finish())
    });
    let path = format!("/v1/policies{}", query.unwrap_or_default());
    let request = admin.request("POST", &path).header("Content-Type", "application/wasm");
    Answer::of(request.body(wasm), path).await
}

async fn pull(admin: &Api, reference: &str) -> Answer {
    admin.post("/v1/policy-pulls", json!({"reference": reference})).await
}

async fn trust(api: &Api, scope: &Value, name: &str, key: &Key) -> Value {
    api.post("/v1/policy-keys", json!({"scope": scope, "name": name, "key": key.public})).await.good()
}

fn bound(policy: &str, app: &str) -> Value {
    json!({"policy": policy, "scope": {"kind": "mini_app", "id": app}})
}

fn in_file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    (folder, file)
}

/// What stands at an address of the stand-in.
#[derive(Clone)]
enum Stands {
    Bytes(String, Vec<u8>),
    Status(u16),
    Redirect(String),
    Challenge(String),
    Token,
    Hang,
    Endless,
}

/// A stand-in for a registry: what a test has put at its addresses, and 404 elsewhere.
struct Shelf {
    address: String,
    stands: Arc<Mutex<BTreeMap<String, Stands>>>,
    asked: Arc<Mutex<Vec<(String, String)>>>,
    serving: JoinHandle<()>,
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shelf {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stands, asked) = (Arc::<Mutex<BTreeMap<_, _>>>::default(), Arc::<Mutex<Vec<_>>>::default());
        let (there, seen) = (stands.clone(), asked.clone());
        let router = Router::new().fallback(move |request: Request| {
            let path = request.uri().path().to_owned();
            let proof = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
            seen.lock().unwrap().push((request.uri().to_string(), proof.clone().unwrap_or_default()));
            let found = there.lock().unwrap().get(&path).cloned();
            let token = there.lock().unwrap().values().any(|one| matches!(one, Stands::Token));
            async move {
                match found {
                    // Where a token is given, nothing is told without it.
                    Some(Stands::Bytes(..)) if token && proof.as_deref() != Some("Bearer right") => {
                        let at = there.lock().unwrap().get("/challenge").cloned();
                        answer(at.unwrap_or(Stands::Status(401))).await
                    }
                    Some(found) => answer(found).await,
                    None => StatusCode::NOT_FOUND.into_response(),
                }
            }
        });
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, stands, asked, serving }
    }

    fn put(&self, path: &str, stands: Stands) {
        self.stands.lock().unwrap().insert(path.to_owned(), stands);
    }

    /// Puts a manifest and what it describes.
    fn artefact(&self, tag: &str, layers: &[(&str, &[u8])]) -> Digest {
        let described: Vec<_> = layers.iter().map(|(kind, bytes)| self.blob(kind, bytes)).collect();
        let config = self.blob("application/vnd.wasm.config.v0+json", b"{}");
        self.manifest(tag, &json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": described}))
    }

    fn manifest(&self, tag: &str, manifest: &Value) -> Digest {
        let bytes = manifest.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        for name in [tag.to_owned(), format!("sha256:{digest}")] {
            self.put(&format!("/v2/a/b/manifests/{name}"), Stands::Bytes(MANIFEST.into(), bytes.clone()));
        }
        digest
    }

    fn blob(&self, kind: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        let stands = Stands::Bytes("application/octet-stream".into(), bytes.to_vec());
        self.put(&format!("/v2/a/b/blobs/sha256:{digest}"), stands);
        json!({"mediaType": kind, "digest": format!("sha256:{digest}"), "size": bytes.len()})
    }

    /// Has a bundle refer to an artefact.
    fn refer(&self, manifest: &Digest, bundle: &str) {
        let found = self.artefact("signature", &[(BUNDLE, bundle.as_bytes())]);
        let index = json!({"schemaVersion": 2, "manifests": [
            {"mediaType": MANIFEST, "digest": format!("sha256:{found}"), "size": 1, "artifactType": BUNDLE}]});
        let at = format!("/v2/a/b/referrers/sha256:{manifest}");
        self.put(&at, Stands::Bytes(INDEX.into(), index.to_string().into_bytes()));
    }

    fn reference(&self, rest: &str) -> String {
        format!("oci://{}/a/b{rest}", self.address)
    }
}

/// Puts a policy and a signature of its artefact on the shelf, and has the host fetch it.
async fn ship(admin: &Api, shelf: &Shelf, wasm: &[u8], key: &Key) -> Answer {
    let manifest = shelf.artefact("1", &[("application/wasm", wasm)]);
    shelf.refer(&manifest, &bundle(key, &manifest).await);
    pull(admin, &shelf.reference(":1")).await
}

async fn answer(stands: Stands) -> Response {
    match stands {
        Stands::Bytes(kind, bytes) => ([("content-type", kind)], bytes).into_response(),
        Stands::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Stands::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response(),
        Stands::Challenge(told) => (StatusCode::UNAUTHORIZED, [("www-authenticate", told)]).into_response(),
        Stands::Token => axum::Json(json!({"token": "right"})).into_response(),
        Stands::Hang => std::future::pending().await,
        Stands::Endless => {
            let zeros = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0u8; 65_536]));
            Body::from_stream(zeros).into_response()
        }
    }
}

/// The statement by which cosign's older signatures name an artefact.
fn payload(manifest: &Digest) -> String {
    json!({"critical": {"identity": {"docker-reference": "anything"}, "image": {"docker-manifest-digest": format!("sha256:{manifest}")},
        "type": "cosign container image signature"}, "optional": {}})
    .to_string()
}

/// A Sigstore bundle as cosign makes it of an artefact with a key.
async fn bundle(key: &Key, manifest: &Digest) -> String {
    let envelope = envelope(key, &statement(manifest)).await;
    json!({"mediaType": BUNDLE, "verificationMaterial": {"publicKey": {"hint": "x"}}, "dsseEnvelope": envelope})
        .to_string()
}

/// The statement by which cosign signs an artefact.
fn statement(manifest: &Digest) -> String {
    json!({"_type": "https://in-toto.io/Statement/v1", "subject": [{"digest": {"sha256": manifest}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1", "predicate": {}})
    .to_string()
}

async fn envelope(key: &Key, statement: &str) -> Value {
    let kind = "application/vnd.in-toto+json";
    let message = format!("DSSEv1 {} {kind} {} {statement}", kind.len(), statement.len());
    let signature = key.sign_in_base64(message.as_bytes()).await;
    json!({"payload": STANDARD.encode(statement), "payloadType": kind, "signatures": [{"sig": signature}]})
}

on_both! {
    async fn g22_what_berth_or_oras_publish_is_pulled_by_tag_and_by_digest(host) {
        let (Some((registry, _)), Some(python)) = (registries(), there_is("BERTH_TEST_ORAS")) else { return };
        let scene = Scene::set(host).await;
        let said = PolicyMetadata {
            licenses: Some("Apache-2.0".into()),
            source: Some("https://git.example/coffee/no-eval".into()),
            homepage: Some("https://coffee.example/".into()),
            ..PolicyMetadata::default()
        };
        let wasm = with_metadata(guests::auditor("no-eval", Manner::Agrees), &said);
        let (folder, file) = in_file("no-eval.wasm", &wasm);
        let (own, foreign) = (repository("no-eval"), repository("no-eval"));

        let published = publish(&scene.admin, &file, &format!("oci://{registry}/{own}")).await;
        assert_eq!(published["reference"], format!("oci://{registry}/{own}:1.1.0"), "the tag is the version");
        let listed = berth_json(&scene.admin, &["policy", "push", published["pinned"].as_str().unwrap()]).await;
        assert_eq!(listed["origin"], json!({"reference": published["pinned"], "manifest": published["manifest"]}));
        assert_eq!((&listed["digest"], &listed["name"]), (&json!(Digest::of(&wasm)), &json!("no-eval")));

        // What the CNCF's layout says is there, and oras brings the bytes.
        let url = format!("http://{registry}/v2/{own}/manifests/1.1.0");
        let manifest: Value = http().get(url).header("accept", MANIFEST).send().await.unwrap().json().await.unwrap();
        assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
        assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
        let remark = |key: &str| manifest["annotations"][format!("org.opencontainers.image.{key}")].clone();
        let remarks = ["licenses", "source", "url", "title", "authors"].map(remark);
        assert_eq!(json!(remarks), json!(["Apache-2.0", said.source, said.homepage, "no-eval", null]), "{manifest}");
        let digest = manifest["layers"][0]["digest"].as_str().unwrap();
        assert_eq!(by_oras(&python, &format!("{registry}/{own}:1.1.0"), digest).await, hex::encode(&wasm));

        // The same bytes from elsewhere, put there by oras: that is where they came from now.
        let (target, files) = (format!("{registry}/{foreign}:latest"), ["no-eval.wasm:application/wasm".to_owned()]);
        let pinned = oras(&python, folder.path(), &target, &files, &json!({})).await;
        let pulled = pull(&scene.admin, &format!("oci://{registry}/{foreign}")).await.good();
        assert_eq!(pulled["origin"]["manifest"], pinned.trim_start_matches("sha256:"));
        let pulled = pull(&scene.admin, &format!("oci://{registry}/{foreign}:latest@{pinned}")).await.good();
        assert_eq!(pulled["origin"]["reference"], format!("oci://{registry}/{foreign}:latest@{pinned}"));
        let other = format!("sha256:{}", Digest::of(b"other"));
        pull(&scene.admin, &format!("oci://{registry}/{foreign}:latest@{other}")).await.refused("registry-missing");
        pull(&scene.admin, &format!("oci://{registry}/{foreign}:none")).await.refused("registry-missing");

        let events = scene.admin.get("/v1/events?limit=1000").await.good();
        let events = events["items"].as_array().unwrap();
        let told = |kind: &str| {
            events.iter().filter(|one| one["type"] == kind && one["data"]["name"] == "no-eval").count()
        };
        assert_eq!((told("policy.installed"), told("policy.shipped")), (1, 2));

        // And back again, by the API and by the command.
        let path = "/v1/policies/no-eval@1.1.0/wasm";
        let (whole, tag) = (scene.admin.get(path).await, format!("\"{}\"", Digest::of(&wasm)));
        assert_eq!((whole.status, &whole.bytes[..], whole.header("etag")), (200, &wasm[..], &*tag));
        let same = scene.admin.request("GET", path).header("If-None-Match", whole.header("etag"));
        assert_eq!(Answer::of(same, "again".into()).await.status, 304);
        let to = folder.path().join("back.wasm");
        run(berth(&scene.admin, &["policy", "download", "no-eval", "--out", to.to_str().unwrap()])).await;
        assert_eq!(std::fs::read(to).unwrap(), wasm);
        scene.admin.post("/v1/policy-bindings", bound("no-eval", "coffee")).await.good();
    }

    async fn g22_a_registry_that_wants_a_login_gets_the_one_of_its_file(host) {
        let Some((_, registry)) = registries() else { return };
        let scene = Scene::set(host).await;
        let wasm = guests::auditor("no-eval", Manner::Agrees);
        let (folder, file) = in_file("no-eval.wasm", &wasm);
        let reference = format!("oci://{registry}/{}:1", repository("no-eval"));
        let auth = folder.path().join("config.json");
        let publish = || {
            let (file, auth) = (file.to_str().unwrap(), auth.to_str().unwrap());
            berth(&scene.admin, &["policy", "publish", file, &reference, "--auth", auth])
        };
        let refused = publish().output().await.unwrap();
        assert!(String::from_utf8_lossy(&refused.stderr).contains("registry-denied"), "{refused:?}");
        let write = |login: &str| {
            let logins = json!({"auths": {&registry: {"auth": STANDARD.encode(login)}}});
            std::fs::write(&auth, logins.to_string()).unwrap();
        };
        write("ann:secret");
        run(publish()).await;
        pull(&scene.admin, &reference).await.refused("registry-denied");

        let host = scene.host.again(|config| config.registries.registry_auth = Some(auth.clone())).await;
        pull(&host.admin(), &reference).await.good();
        write("ann:canary-wrong-password");
        let refused = pull(&host.admin(), &reference).await;
        assert!(!String::from_utf8_lossy(&refused.bytes).contains("canary"));
        refused.refused("registry-denied");
    }

    async fn g22_a_token_is_fetched_where_the_registry_says_and_goes_to_it_alone(host) {
        let scene = Scene::set(host).await;
        let (shelf, elsewhere) = (Shelf::open().await, Shelf::open().await);
        let wasm = guests::auditor("no-eval", Manner::Agrees);
        shelf.artefact("1", &[("application/wasm", &wasm)]);
        let wants = format!(r#"Bearer realm="http://{}/token",service="shelf",scope="repository:a/b:pull""#, shelf.address);
        shelf.put("/challenge", Stands::Challenge(wants));
        shelf.put("/token", Stands::Token);
        // As registries of clouds do, the bytes are elsewhere.
        let blob = format!("/v2/a/b/blobs/sha256:{}", Digest::of(&wasm));
        elsewhere.put("/there", Stands::Bytes("application/octet-stream".into(), wasm.clone()));
        shelf.put(&blob, Stands::Redirect(format!("http://{}/there?signed=1", elsewhere.address)));
        assert_eq!(pull(&scene.admin, &shelf.reference(":1")).await.good()["digest"], json!(Digest::of(&wasm)));
        let wanted = "/token?service=shelf&scope=repository%3Aa%2Fb%3Apull";
        assert!(shelf.asked.lock().unwrap().iter().any(|(uri, _)| uri == wanted));
        assert_eq!(*elsewhere.asked.lock().unwrap(), [("/there?signed=1".to_owned(), String::new())]);
    }

    async fn g22_whatever_a_registry_does_a_pull_is_bounded_and_installs_nothing_else(host) {
        let host = host.again(|config| config.registries.registry_timeout = Duration::from_secs(1)).await;
        let scene = Scene::set(host).await;
        let shelf = Shelf::open().await;
        let wasm = guests::auditor("no-eval", Manner::Agrees);
        let layer = |kind: &str, bytes: &[u8], size: u64| {
            json!({"schemaVersion": 2, "config": shelf.blob("application/vnd.wasm.config.v0+json", b"{}"),
                "layers": [{"mediaType": kind, "digest": format!("sha256:{}", Digest::of(bytes)), "size": size}]})
        };
        let size = wasm.len() as u64;
        // Another manifest than the pinned one; bytes that are not those of the digest; more of them than told, and than fit.
        let good = shelf.artefact("good", &[("application/wasm", &wasm)]);
        let other = Digest::of(b"other");
        let good_one = shelf.stands.lock().unwrap()["/v2/a/b/manifests/good"].clone();
        shelf.put(&format!("/v2/a/b/manifests/sha256:{other}"), good_one);
        shelf.manifest("forged", &layer("application/wasm", b"forged", 6));
        let at = format!("/v2/a/b/blobs/sha256:{}", Digest::of(b"forged"));
        shelf.put(&at, Stands::Bytes("text/plain".into(), b"FORGED".to_vec()));
        shelf.manifest("more", &layer("application/wasm", b"more", 4));
        shelf.put(&format!("/v2/a/b/blobs/sha256:{}", Digest::of(b"more")), Stands::Endless);
        shelf.manifest("huge", &layer("application/wasm", &wasm, 1 << 40));
        shelf.manifest("image", &layer("application/vnd.oci.image.layer.v1.tar+gzip", &wasm, size));
        shelf.put("/v2/a/b/manifests/index", Stands::Bytes(INDEX.into(), br#"{"schemaVersion": 2, "manifests": []}"#.to_vec()));
        shelf.put("/v2/a/b/manifests/page", Stands::Bytes("text/html".into(), b"<html>".to_vec()));
        shelf.put("/v2/a/b/manifests/endless", Stands::Endless);
        shelf.put("/v2/a/b/manifests/broken", Stands::Status(500));
        shelf.put("/v2/a/b/manifests/circle", Stands::Redirect("/v2/a/b/manifests/circle".into()));
        let tags = ["forged", "more", "huge", "image", "index", "page", "endless", "broken", "circle"];
        for rest in tags.map(|tag| format!(":{tag}")).into_iter().chain([format!("@sha256:{other}")]) {
            pull(&scene.admin, &shelf.reference(&rest)).await.refused("registry-wrong");
        }
        // Nowhere inside, by no way; silence; and a registry that never has enough proof.
        shelf.put("/v2/a/b/manifests/inside", Stands::Redirect("http://169.254.169.254/latest".into()));
        shelf.put("/v2/a/b/manifests/silent", Stands::Hang);
        shelf.put("/v2/a/b/manifests/metadata", Stands::Challenge("Bearer realm=\"http://10.1.2.3/token\"".into()));
        for tag in [":inside", ":silent", ":metadata"] {
            let begun = Instant::now();
            pull(&scene.admin, &shelf.reference(tag)).await.refused("registry-unreachable");
            assert!(begun.elapsed() < Duration::from_secs(10), "{tag}");
        }
        pull(&scene.admin, "oci://10.1.2.3:5000/a/b:1").await.refused("registry-unreachable");
        shelf.put("/given", Stands::Bytes("application/json".into(), br#"{"token": "wrong"}"#.to_vec()));
        let never = format!("Bearer realm=\"http://{}/given\"", shelf.address);
        shelf.put("/v2/a/b/manifests/greedy", Stands::Challenge(never));
        pull(&scene.admin, &shelf.reference(":greedy")).await.refused("registry-denied");
        assert_eq!(shelf.asked.lock().unwrap().iter().filter(|(uri, _)| uri.contains("greedy")).count(), 2);
        pull(&scene.admin, "https://registry.example/a:1").await.refused("invalid-field");
        assert_eq!(scene.admin.get("/v1/policies/no-eval").await.status, 404);
        pull(&scene.admin, &shelf.reference(&format!("@sha256:{good}"))).await.good();
    }

    async fn g23_where_signatures_are_required_only_what_a_trusted_key_signed_is_installed(host) {
        let scene = Scene::set(host).await;
        let platform = json!({"level": "platform"});
        let (wasm, other) = (guests::auditor("no-eval", Manner::Agrees), guests::auditor("no-maps", Manner::Agrees));
        let keys = [Key::make(true).await, Key::make(false).await];
        let required = json!({"scope": platform, "required": true});
        scene.admin.put("/v1/policy-signing", required.clone()).await.refused("invalid-field");
        upload(&scene.admin, wasm.clone(), Some(&keys[0].sign_in_base64(&wasm).await)).await.refused("policy-signature-wrong");
        trust(&scene.admin, &platform, "release", &keys[0]).await;
        let nightly = trust(&scene.admin, &platform, "nightly", &keys[1]).await;
        let twice = json!({"scope": platform, "name": "twice", "key": keys[0].public});
        scene.admin.post("/v1/policy-keys", twice).await.refused("trusted-key-exists");
        scene.admin.put("/v1/policy-signing", required).await.good();

        let refused = upload(&scene.admin, wasm.clone(), None).await.refused("policy-unsigned");
        assert!(text(&refused["next"]).starts_with("cosign sign-blob --key cosign.key"), "{refused}");
        let (of_other, strangers) = (keys[0].sign_in_base64(&other).await, Key::make(true).await.sign_in_base64(&wasm).await);
        for bad in [of_other, strangers, "bm8=".into(), "!".into()] {
            upload(&scene.admin, wasm.clone(), Some(&bad)).await.refused("policy-signature-wrong");
        }
        assert_eq!(scene.admin.get("/v1/policies/no-eval").await.status, 404);
        for (key, name) in keys.iter().zip(["release", "nightly"]) {
            let installed = upload(&scene.admin, wasm.clone(), Some(&key.sign_in_base64(&wasm).await)).await.good();
            let last = installed["signed_by"].as_array().unwrap().last().unwrap();
            assert_eq!((&last["name"], &last["signed"]), (&json!(name), &json!("policy")));
        }
        // A file as openssl writes it, by the command.
        let (folder, file) = in_file("no-maps.wasm", &other);
        let signature = folder.path().join("no-maps.sig");
        std::fs::write(&signature, keys[1].sign(&other).await).unwrap();
        let (file, signature) = (file.to_str().unwrap(), signature.to_str().unwrap());
        let pushed = berth_json(&scene.admin, &["policy", "push", file, "--signature", signature]).await;
        assert_eq!(pushed["signed_by"][0]["fingerprint"], nightly["fingerprint"]);
        // What comes with Berth is part of it.
        scene.admin.post("/v1/policy-bindings", bound("size-limits", "coffee")).await.good();

        // A key that is not trusted any more: what is bound goes on, is told, and may be tamed; nothing new is bound.
        let binding = scene.admin.post("/v1/policy-bindings", bound("no-maps", "coffee")).await.good();
        let removed = scene.admin.delete(&format!("/v1/policy-keys/{}", text(&nightly["id"]))).await.good();
        assert_eq!(removed["unsigned"][0]["id"], binding["id"]);
        let rule = scene.admin.get("/v1/policy-signing?level=platform").await.good();
        assert_eq!((&rule["required"], &rule["unsigned"][0]["id"]), (&json!(true), &binding["id"]));
        let at = format!("/v1/policy-bindings/{}", text(&binding["id"]));
        scene.admin.put(&at, json!({"mode": "shadow"})).await.good();
        scene.admin.put(&at, json!({"mode": "enforce"})).await.refused("policy-signature-wrong");
        let elsewhere = json!({"policy": "no-maps", "scope": {"kind": "host_app", "id": "super-app"}});
        scene.admin.post("/v1/policy-bindings", elsewhere).await.refused("policy-signature-wrong");
        let remembered = scene.admin.get("/v1/policies/no-maps").await.good();
        assert_eq!(remembered["signed_by"][0]["name"], "nightly");
        scene.push("1.0.0", "1.0.0").await.good();
        assert_eq!(scene.submit("1.0.0").await["state"], "deciding");
    }

    async fn g23_keys_are_trusted_and_required_and_removed_in_the_console_where_a_file_brings_its_signature(host) {
        let scene = Scene::set(host).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let (key, here) = (Key::make(true).await, "/ui/policy-trust?level=platform");
        let page = browser.get("/ui/policy-trust").await;
        assert!(page.says("Trust a key first") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
        let page = browser.send(here, &[("name", "release"), ("key", "no key")]).await;
        assert!(page.html.contains("value=\"release\"") && page.html.contains("no key</textarea>"), "{}", page.html);
        assert!(page.html.contains("aria-invalid") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
        let page = browser.send(here, &[("name", "release"), ("key", &key.public)]).await;
        assert!(page.says("release is trusted.") && page.says("ECDSA P-256"), "{}", page.html);
        let require = "/ui/policy-trust/require?level=platform";
        assert!(browser.get(require).await.says("neither installed nor bound"));
        let page = browser.send(require, &[("required", "on")]).await;
        assert!(page.says("must be signed") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);

        let wasm = guests::auditor("no-eval", Manner::Agrees);
        let install = async |signature: &str| {
            // As the form has it: the file comes before its signature.
            let parts = [("wasm", "no-eval.wasm", wasm.as_slice()), ("signature", "no-eval.sig", signature.as_bytes())];
            browser.upload_parts("/ui/policies/install", &parts).await
        };
        let form = browser.get("/ui/policies/install").await;
        assert!(form.html.contains("name=\"signature\" type=\"file\" required"), "{}", form.html);
        let page = install("").await;
        assert!(page.html.contains("role=\"alert\"") && page.html.contains("policy-unsigned"), "{}", page.html);
        let large = vec![0; (64 << 20) + 1];
        let page = browser.upload_parts("/ui/policies/install", &[("wasm", "large.wasm", &large)]).await;
        assert!(page.html.contains("body-too-large") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
        assert!(install("bm8=").await.html.contains("policy-signature-wrong"));
        assert!(install(&"A".repeat(20_000)).await.says("A signature has 16 kB at the most."));
        let page = install(&key.sign_in_base64(&wasm).await).await;
        assert!(page.says("no-eval 1.1.0 was installed.") && page.says("Signed by"), "{}", page.html);

        scene.admin.post("/v1/policy-bindings", bound("no-eval", "coffee")).await.good();
        let keys = scene.admin.get("/v1/policy-keys?level=platform").await.good();
        let remove = format!("/ui/policy-trust/keys/{}/remove?level=platform", text(&keys["items"][0]["id"]));
        let page = browser.get(&remove).await;
        assert!(page.says("It is the last key that could sign") && page.faults().is_empty(), "{}", page.html);
        let page = browser.send(&remove, &[]).await;
        assert!(page.says("These go on without a signature") && page.says("no-eval 1.1.0"), "{}", page.html);
        assert!(browser.get(require).await.says("may be used here again"));
        let page = browser.send(require, &[]).await;
        assert!(page.says("Policies need no signature here any more."), "{}", page.html);

        // A team's admin keeps the keys of the team, and reads those of the platform.
        let (id, token) = person(&scene.admin, "keeper", json!({})).await;
        scene.admin.put(&format!("/v1/teams/{}/members/{id}", scene.team), json!({"role": "admin"})).await.good();
        let keeper = Browser::signed_in(&scene.host, &token).await;
        let of_team = format!("/ui/policy-trust?level=team&id={}", scene.team);
        assert!(keeper.get(&format!("/ui/teams/{}/members", scene.team)).await.links().contains(&of_team));
        let page = keeper.send(&of_team, &[("name", "own"), ("key", &key.public)]).await;
        assert!(page.says("own is trusted.") && page.says("Coffee team"), "{}", page.html);
        assert!(page.posts().contains(&of_team) && !keeper.get(here).await.posts().iter().any(|form| form == here));
    }
    async fn g23_a_team_requires_more_than_the_platform_and_never_less(host) {
        let scene = Scene::set(host).await;
        let (platform, team) = (json!({"level": "platform"}), json!({"level": "team", "id": scene.team}));
        let (id, token) = person(&scene.admin, "keeper", json!({})).await;
        scene.admin.put(&format!("/v1/teams/{}/members/{id}", scene.team), json!({"role": "admin"})).await.good();
        let keeper = scene.host.with_token(&token);
        let (own, theirs, shelf) = (Key::make(true).await, Key::make(true).await, Shelf::open().await);
        let wasm = guests::auditor("no-eval", Manner::Agrees);
        upload(&scene.admin, wasm.clone(), None).await.good();
        trust(&keeper, &team, "own", &own).await;
        keeper.put("/v1/policy-signing", json!({"scope": team, "required": true})).await.good();
        keeper.post("/v1/policy-bindings", bound("no-eval", "coffee")).await.refused("policy-unsigned");
        // Another place is none of this team's business.
        let elsewhere = json!({"policy": "no-eval", "scope": {"kind": "host_app", "id": "super-app"}});
        scene.admin.post("/v1/policy-bindings", elsewhere).await.good();
        ship(&scene.admin, &shelf, &wasm, &own).await.good();

        // The platform requires a key of its own, which a team can neither give nor take away.
        trust(&scene.admin, &platform, "release", &theirs).await;
        scene.admin.put("/v1/policy-signing", json!({"scope": platform, "required": true})).await.good();
        keeper.post("/v1/policy-bindings", bound("no-eval", "coffee")).await.refused("policy-signature-wrong");
        keeper.put("/v1/policy-signing", json!({"scope": platform, "required": false})).await.refused("missing-grant");
        let own_key = json!({"scope": platform, "name": "own", "key": own.public});
        keeper.post("/v1/policy-keys", own_key).await.refused("missing-grant");
        let keys = keeper.get("/v1/policy-keys?level=platform").await.good();
        keeper.delete(&format!("/v1/policy-keys/{}", text(&keys["items"][0]["id"]))).await.refused("missing-grant");
        keeper.put("/v1/policy-signing", json!({"scope": team, "required": false})).await.good();
        keeper.post("/v1/policy-bindings", bound("no-eval", "coffee")).await.refused("policy-signature-wrong");
        upload(&scene.admin, wasm.clone(), Some(&theirs.sign_in_base64(&wasm).await)).await.good();
        keeper.put("/v1/policy-signing", json!({"scope": team, "required": true})).await.good();
        let binding = keeper.post("/v1/policy-bindings", bound("no-eval", "coffee")).await.good();

        // Another version is asked for its own signature when a binding moves to it; the bound one serves on.
        let newer = guests::auditor("no-eval", Manner::Traps);
        scene.admin.put("/v1/policy-signing", json!({"scope": platform, "required": false})).await.good();
        upload(&scene.admin, newer.clone(), None).await.good();
        let at = format!("/v1/policy-bindings/{}", text(&binding["id"]));
        keeper.put(&at, json!({"policy": "no-eval@1.0.0"})).await.refused("policy-unsigned");
        ship(&scene.admin, &shelf, &newer, &own).await.good();
        keeper.put(&at, json!({"policy": "no-eval@1.0.0"})).await.good();

        // Gray tasks are the team's, too.
        let gray = guests::grayscale("everybody", Manner::Agrees);
        upload(&scene.admin, gray.clone(), None).await.good();
        scene.admin.delete(&at).await.good();
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        scene.gray("1.1.0", json!({"policies": [{"policy": "everybody"}]})).await.refused("policy-unsigned");
        ship(&scene.admin, &shelf, &gray, &own).await.good();
        scene.gray("1.1.0", json!({"policies": [{"policy": "everybody"}]})).await.good();
    }

    async fn g23_a_key_of_a_team_makes_no_signature_good_for_others(host) {
        let scene = Scene::set(host).await;
        let (team, wasm) = (json!({"level": "team", "id": scene.team}), guests::auditor("no-eval", Manner::Agrees));
        let (id, token) = person(&scene.admin, "keeper", json!({})).await;
        scene.admin.put(&format!("/v1/teams/{}/members/{id}", scene.team), json!({"role": "admin"})).await.good();
        let keeper = scene.host.with_token(&token);
        let (_, token) = person(&scene.admin, "stranger", json!({})).await;
        let stranger = scene.host.with_token(&token);
        let own = Key::make(true).await;
        trust(&keeper, &team, "canary-own", &own).await;
        // Whoever administers a team may hand a file and its signature to an admin of the platform.
        let signature = own.sign_in_base64(&wasm).await;
        upload(&scene.admin, wasm.clone(), Some(&signature)).await.refused("policy-signature-wrong");
        assert_eq!(scene.admin.get("/v1/policies/no-eval").await.status, 404);
        ship(&scene.admin, &Shelf::open().await, &wasm, &own).await.good();
        assert_eq!(keeper.get("/v1/policies/no-eval").await.good()["signed_by"][0]["name"], "canary-own");
        for path in ["/v1/policies", "/v1/policies/no-eval"] {
            let seen = stranger.get(path).await.good().to_string();
            assert!(!seen.contains("canary-own"), "{seen}");
        }
        // What refuses elsewhere does not tell whose key it was.
        let platform = json!({"level": "platform"});
        trust(&scene.admin, &platform, "release", &Key::make(true).await).await;
        scene.admin.put("/v1/policy-signing", json!({"scope": platform, "required": true})).await.good();
        let refused = scene.admin.post("/v1/policy-bindings", bound("no-eval", "coffee")).await.refused("policy-signature-wrong");
        assert!(!refused.to_string().contains("canary-own"), "{refused}");
    }

    async fn g23_a_key_of_the_platform_that_is_removed_is_told_under_every_requirement_that_it_met(host) {
        let scene = Scene::set(host).await;
        let (key, wasm) = (Key::make(true).await, guests::auditor("no-eval", Manner::Agrees));
        let release = trust(&scene.admin, &json!({"level": "platform"}), "release", &key).await;
        upload(&scene.admin, wasm.clone(), Some(&key.sign_in_base64(&wasm).await)).await.good();
        let team = json!({"level": "team", "id": scene.team});
        scene.admin.put("/v1/policy-signing", json!({"scope": team, "required": true})).await.good();
        let binding = scene.admin.post("/v1/policy-bindings", bound("no-eval", "coffee")).await.good();
        let removed = scene.admin.delete(&format!("/v1/policy-keys/{}", text(&release["id"]))).await.good();
        assert_eq!(removed["unsigned"][0]["id"], binding["id"]);
        let replay = json!({"scope": {"kind": "mini_app", "id": "coffee"}, "new": {"policy": "no-eval"}});
        scene.admin.post("/v1/policy-replays", replay).await.refused("policy-signature-wrong");
    }

    async fn g23_signatures_are_found_in_a_real_registry(host) {
        let (Some((registry, _)), Some(python)) = (registries(), there_is("BERTH_TEST_ORAS")) else { return };
        let scene = Scene::set(host).await;
        let platform = json!({"level": "platform"});
        let (key, stranger) = (Key::make(true).await, Key::make(true).await);
        trust(&scene.admin, &platform, "release", &key).await;
        scene.admin.put("/v1/policy-signing", json!({"scope": platform, "required": true})).await.good();
        for (name, is_bundle) in [("by-tag", false), ("by-bundle", true)] {
            let wasm = guests::auditor(name, Manner::Agrees);
            let (folder, file) = in_file("policy.wasm", &wasm);
            let repository = format!("{registry}/{}", repository(name));
            let published = publish(&scene.admin, &file, &format!("oci://{repository}:1")).await;
            let manifest: Digest = text(&published["manifest"]).parse().unwrap();
            let reference = text(&published["pinned"]);
            let refused = pull(&scene.admin, &reference).await.refused("policy-unsigned");
            let cure = format!("cosign sign --key cosign.key --tlog-upload=false {repository}@sha256:{manifest}");
            assert_eq!(refused["next"], cure);
            for (signer, is_good) in [(&stranger, false), (&key, true)] {
                if is_bundle {
                    std::fs::write(folder.path().join("bundle.json"), bundle(signer, &manifest).await).unwrap();
                    let file = format!("bundle.json:{BUNDLE}");
                    let found = oras(&python, folder.path(), &format!("{repository}:bundle"), &[file], &json!({})).await;
                    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
                        {"mediaType": MANIFEST, "digest": found, "size": size_of(&repository, "bundle").await, "artifactType": BUNDLE}]});
                    put_index(&repository, &format!("sha256-{manifest}"), &index).await;
                } else {
                    std::fs::write(folder.path().join("payload"), payload(&manifest)).unwrap();
                    let signature = signer.sign_in_base64(payload(&manifest).as_bytes()).await;
                    let remarks = json!({"payload": {"dev.cosignproject.cosign/signature": signature}});
                    let tag = format!("{repository}:sha256-{manifest}.sig");
                    oras(&python, folder.path(), &tag, &[format!("payload:{PAYLOAD}")], &remarks).await;
                }
                let pulled = pull(&scene.admin, &reference).await;
                match is_good {
                    true => assert_eq!(pulled.good()["signed_by"][0]["signed"], "artefact"),
                    false => drop(pulled.refused("policy-signature-wrong")),
                }
            }
            scene.admin.post("/v1/policy-bindings", bound(name, "coffee")).await.good();
        }
    }

    async fn g23_whatever_is_attached_to_a_policy_it_is_pulled(host) {
        let scene = Scene::set(host).await;
        let (shelf, key) = (Shelf::open().await, Key::make(true).await);
        let platform = json!({"level": "platform"});
        trust(&scene.admin, &platform, "release", &key).await;
        let wasm = guests::auditor("no-eval", Manner::Agrees);
        let manifest = shelf.artefact("1", &[("application/wasm", &wasm)]);
        let referrers = format!("/v2/a/b/referrers/sha256:{manifest}");
        for status in [400, 401, 403, 405, 500] {
            shelf.put(&referrers, Stands::Status(status));
            pull(&scene.admin, &shelf.reference(":1")).await.good();
        }
        // A bundle that is too large, one that is not there, and a digest of another kind; a good one follows.
        let large = shelf.artefact("large", &[(BUNDLE, &vec![b' '; 300 << 10])]);
        let lost = json!({"mediaType": BUNDLE, "digest": format!("sha256:{}", Digest::of(b"lost")), "size": 4});
        let config = shelf.blob("application/vnd.oci.empty.v1+json", b"{}");
        let lost = shelf.manifest("lost", &json!({"schemaVersion": 2, "config": config, "layers": [lost]}));
        let list = |digests: &[String]| {
            let one = |digest: &String| json!({"mediaType": MANIFEST, "digest": digest, "size": 1, "artifactType": BUNDLE});
            let index = json!({"schemaVersion": 2, "manifests": digests.iter().map(one).collect::<Vec<_>>()});
            shelf.put(&referrers, Stands::Bytes(INDEX.into(), index.to_string().into_bytes()));
        };
        let mut attached = vec![format!("sha512:{}", "0".repeat(128)), format!("sha256:{large}"), format!("sha256:{lost}")];
        list(&attached);
        pull(&scene.admin, &shelf.reference(":1")).await.good();
        scene.admin.put("/v1/policy-signing", json!({"scope": platform, "required": true})).await.good();
        pull(&scene.admin, &shelf.reference(":1")).await.refused("policy-unsigned");
        let good = shelf.artefact("signature", &[(BUNDLE, bundle(&key, &manifest).await.as_bytes())]);
        attached.push(format!("sha256:{good}"));
        list(&attached);
        assert_eq!(pull(&scene.admin, &shelf.reference(":1")).await.good()["signed_by"][0]["name"], "release");
    }

    async fn g23_referrers_are_asked_for_and_signatures_of_others_are_of_no_use(host) {
        let scene = Scene::set(host).await;
        let shelf = Shelf::open().await;
        let key = Key::make(true).await;
        let platform = json!({"level": "platform"});
        trust(&scene.admin, &platform, "release", &key).await;
        scene.admin.put("/v1/policy-signing", json!({"scope": platform, "required": true})).await.good();
        let wasm = guests::auditor("no-eval", Manner::Agrees);
        let manifest = shelf.artefact("1", &[("application/wasm", &wasm)]);
        // A good signature of another artefact, copied here; and one of no artefact at all.
        for text in [bundle(&key, &Digest::of(b"other")).await, "{}".into()] {
            shelf.refer(&manifest, &text);
            pull(&scene.admin, &shelf.reference(":1")).await.refused("policy-signature-wrong");
        }
        shelf.refer(&manifest, &bundle(&key, &manifest).await);
        assert_eq!(pull(&scene.admin, &shelf.reference(":1")).await.good()["signed_by"][0]["name"], "release");
    }
}

async fn size_of(repository: &str, tag: &str) -> usize {
    let (registry, name) = repository.split_once('/').unwrap();
    let url = format!("http://{registry}/v2/{name}/manifests/{tag}");
    http().get(url).header("accept", MANIFEST).send().await.unwrap().bytes().await.unwrap().len()
}

async fn put_index(repository: &str, tag: &str, index: &Value) {
    let (registry, name) = repository.split_once('/').unwrap();
    let url = format!("http://{registry}/v2/{name}/manifests/{tag}");
    let put = http().put(url).header("content-type", INDEX).body(index.to_string()).send().await.unwrap();
    assert!(put.status().is_success(), "{}", put.text().await.unwrap());
}
