//! Asks a registry. Whatever it does, this takes bounded time and memory, and goes only where its [`Dial`] permits.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, header};
use serde::Deserialize;
use tokio::{sync::Mutex, time::timeout};

use berth_base::{
    error::{Code, Error, Result},
    ids::Digest,
};

use crate::{
    challenge::Challenge,
    login::{Login, Logins},
    manifest::{Descriptor, INDEX, Index, MANIFEST, Manifest, wrong},
    reference::Reference,
    signature::{MOST_SIGNATURES, Proof, Subject, Wrong, of_bundle, of_payload},
};

/// How many bytes of a manifest are read.
const MOST_OF_A_MANIFEST: u64 = 1 << 20;
/// How many bytes of a signature are read.
const MOST_OF_A_SIGNATURE: u64 = 256 << 10;
/// How many bytes a registry may answer beside what it was asked for: a token, a refusal.
const MOST_ELSE: u64 = 64 << 10;
/// How many bytes of an upload a second brings at least; it has so much more time.
const SLOWEST: u64 = 64 << 10;
/// How many redirects are followed.
const MOST_REDIRECTS: usize = 5;
const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Decides where a connection may go, and makes it. It follows no redirects.
pub trait Dial: Send + Sync {
    /// What connects to an address.
    ///
    /// # Errors
    /// Why it does not, in words that end in a full stop.
    fn to(&self, url: &Url) -> Result<Client, String>;
}

/// One repository of a registry.
pub struct Registry<'a> {
    dial: &'a dyn Dial,
    reference: &'a Reference,
    plain: bool,
    login: Option<Login>,
    login_elsewhere: bool,
    patience: Duration,
    /// What is done there, in the words of a token's scope.
    actions: &'static str,
    token: Mutex<Option<String>>,
}

/// An artefact that was fetched.
pub struct Pulled {
    /// The SHA-256 of its manifest.
    pub manifest: Digest,
    /// The policy.
    pub wasm: Bytes,
}

/// The signatures of an artefact.
#[derive(Default)]
pub struct Signatures {
    /// Those that are about the artefact, whoever has made them.
    pub proofs: Vec<Proof>,
    /// Why others are not, in words.
    pub wrong: Vec<String>,
    /// What could not be read of what is attached, in sentences.
    pub unread: Vec<String>,
    /// The digests that were looked at.
    seen: BTreeSet<String>,
}

impl Signatures {
    fn len(&self) -> usize {
        self.proofs.len() + self.wrong.len() + self.unread.len()
    }

    /// Whether this is to be looked at: it was not yet, and enough was not found yet.
    fn wants(&mut self, which: String) -> bool {
        self.len() < MOST_SIGNATURES && self.seen.insert(which)
    }

    fn add(&mut self, found: Result<Vec<Proof>, Wrong>) {
        let room = MOST_SIGNATURES.saturating_sub(self.len());
        match found {
            Ok(proofs) => self.proofs.extend(proofs.into_iter().take(room)),
            Err(why) => self.wrong.push(why),
        }
    }

    /// What was read; when it could not be, `None` and a note. Only when nothing more can be read at all, an error.
    fn noted<T>(&mut self, read: Result<T>) -> Result<Option<T>> {
        match read {
            Err(error) if error.code != Code::RegistryUnreachable => {
                self.unread.push(error.detail);
                Ok(None)
            }
            read => read.map(Some),
        }
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

struct Document {
    bytes: Bytes,
    kind: String,
}

impl Document {
    /// The manifest that it is, if it is one.
    fn manifest(self) -> Option<Manifest> {
        Manifest::read(&self.bytes, &self.kind).ok()
    }
}

impl<'a> Registry<'a> {
    /// The repository of a reference. `plain`: without TLS. `patience`: how long the registry may be silent.
    pub fn new(dial: &'a dyn Dial, reference: &'a Reference, logins: &Logins, plain: bool, patience: Duration) -> Self {
        let (login, login_elsewhere) = (logins.at(&reference.registry), logins.is_elsewhere(&reference.registry));
        Self { dial, reference, plain, login, login_elsewhere, patience, actions: "pull", token: Mutex::default() }
    }

    /// Fetches the artefact of the reference, with at most so many bytes of wasm.
    ///
    /// # Errors
    /// `registry-missing`, `registry-denied`, `registry-unreachable`, and `registry-wrong` for what is no artefact of wasm, is too
    /// large, or does not have the digest that was told.
    pub async fn pull(&self, most: u64) -> Result<Pulled> {
        let wanted = self.reference.wanted();
        let found = self.manifest(&wanted).await?;
        let found = found.ok_or_else(|| self.missing(&format!("has no {wanted}")))?;
        let digest = Digest::of(&found.bytes);
        if let Some(pinned) = self.reference.digest.as_ref().filter(|pinned| **pinned != digest) {
            return Err(wrong(&format!(
                "The registry gave a manifest whose SHA-256 is {digest}, for the pinned {pinned}."
            )));
        }
        let manifest = Manifest::read(&found.bytes, &found.kind)?;
        let layer = manifest.wasm()?;
        if layer.size > most {
            let text = format!("The wasm of the artefact has {} bytes, and a policy at most {most}.", layer.size);
            return Err(wrong(&text).with("limit", most));
        }
        Ok(Pulled { manifest: digest, wasm: self.blob(layer).await? })
    }

    /// The signatures of an artefact that was fetched: those under cosign's tag, and the Sigstore bundles that refer to it. What
    /// anybody may attach to an artefact makes nothing fail: what cannot be read is noted.
    pub async fn signatures(&self, pulled: &Pulled) -> Signatures {
        let mut found = Signatures::default();
        let looked = async {
            self.tagged(pulled, &mut found).await?;
            self.referring(pulled, &mut found).await
        };
        let looked = looked.await;
        found.unread.extend(looked.err().map(|error| error.detail));
        found
    }

    /// cosign's older layout: a manifest under a tag that is made of the digest, each of whose layers is a payload.
    async fn tagged(&self, pulled: &Pulled, found: &mut Signatures) -> Result<()> {
        let read = self.manifest(&format!("sha256-{}.sig", pulled.manifest)).await;
        let Some(manifest) = found.noted(read)?.flatten().and_then(Document::manifest) else { return Ok(()) };
        for layer in manifest.layers.iter().filter(|layer| layer.media_type == PAYLOAD) {
            let Some(signature) = layer.annotations.get(SIGNATURE) else { continue };
            // Several keys may sign the same payload.
            if !found.wants(format!("{} {signature}", layer.digest)) {
                continue;
            }
            let Some(payload) = found.noted(self.small(layer).await)? else { continue };
            found.add(of_payload(&payload, signature, &pulled.manifest).map(|proof| vec![proof]));
        }
        Ok(())
    }

    /// Artefacts that refer to this one.
    async fn referring(&self, pulled: &Pulled, found: &mut Signatures) -> Result<()> {
        let Some(index) = self.referrers(pulled, found).await? else { return Ok(()) };
        let may_be = |one: &&Descriptor| one.artifact_type.as_deref().is_none_or(|kind| kind == BUNDLE);
        for one in index.manifests.iter().filter(may_be).take(MOST_SIGNATURES) {
            let Some(digest) = found.noted(one.sha256())? else { continue };
            if !found.wants(digest.to_string()) {
                continue;
            }
            let read = self.manifest(&format!("sha256:{digest}")).await;
            if let Some(manifest) = found.noted(read)?.flatten().and_then(Document::manifest) {
                self.bundles(&manifest, pulled, found).await?;
            }
        }
        Ok(())
    }

    /// The list of what refers to an artefact. A registry that cannot list it has the list under a tag.
    async fn referrers(&self, pulled: &Pulled, found: &mut Signatures) -> Result<Option<Index>> {
        let api = self.address(&format!("referrers/sha256:{}", pulled.manifest))?;
        let listed = found.noted(self.document(api, INDEX).await)?.flatten();
        let listed = match listed.filter(|listed| listed.kind.starts_with(INDEX)) {
            Some(listed) => Some(listed),
            None => found.noted(self.manifest(&format!("sha256-{}", pulled.manifest)).await)?.flatten(),
        };
        Ok(listed.and_then(|listed| serde_json::from_slice(&listed.bytes).ok()))
    }

    async fn bundles(&self, manifest: &Manifest, pulled: &Pulled, found: &mut Signatures) -> Result<()> {
        let subject = Subject { wasm: &pulled.wasm, manifest: Some(&pulled.manifest) };
        for layer in manifest.layers.iter().filter(|layer| layer.media_type == BUNDLE) {
            if !found.wants(layer.digest.clone()) {
                continue;
            }
            if let Some(bundle) = found.noted(self.small(layer).await)? {
                found.add(of_bundle(&bundle, subject));
            }
        }
        Ok(())
    }

    async fn small(&self, layer: &Descriptor) -> Result<Bytes> {
        if layer.size > MOST_OF_A_SIGNATURE {
            return Err(wrong("A signature of the artefact is too large to be read."));
        }
        self.blob(layer).await
    }

    /// Puts a policy there: its wasm, its config and the manifest, under the tag of the reference. Tells the digest of the manifest.
    ///
    /// # Errors
    /// `registry-denied`, `registry-unreachable`, `registry-wrong`.
    pub async fn publish(&mut self, wasm: Bytes, manifest: &Manifest, config: Vec<u8>) -> Result<Digest> {
        self.actions = "pull,push";
        self.put_blob(&manifest.config, config.into()).await?;
        self.put_blob(manifest.wasm()?, wasm).await?;
        let bytes = Bytes::from(serde_json::to_vec(manifest).map_err(Error::internal)?);
        let digest = Digest::of(&bytes);
        let tag = self.reference.tag.as_deref().unwrap_or("latest");
        let put = |client: Client, url: Url| client.put(url).header(header::CONTENT_TYPE, MANIFEST).body(bytes.clone());
        let answer = self.ask(self.address(&format!("manifests/{tag}"))?, put).await?;
        self.accepted(answer, "the manifest").await?;
        Ok(digest)
    }

    async fn put_blob(&self, about: &Descriptor, bytes: Bytes) -> Result<()> {
        let there = self.ask(self.address(&format!("blobs/{}", about.digest))?, |client, url| client.head(url)).await?;
        if there.status().is_success() {
            return Ok(());
        }
        let begun = self.ask(self.address("blobs/uploads/")?, |client, url| client.post(url).body("")).await?;
        let location = begun.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let asked = begun.url().clone();
        self.accepted(begun, "an upload").await?;
        let location = location.and_then(|location| asked.join(&location).ok());
        let mut url = location.ok_or_else(|| wrong("The registry does not say where the upload goes."))?;
        self.require_tls(&url)?;
        url.query_pairs_mut().append_pair("digest", &about.digest);
        let patience = self.patience + Duration::from_secs(bytes.len() as u64 / SLOWEST);
        let put = |client: Client, url: Url| {
            client.put(url).header(header::CONTENT_TYPE, "application/octet-stream").body(bytes.clone())
        };
        let answer = self.ask_patiently(url, patience, put).await?;
        self.accepted(answer, "the bytes").await
    }

    async fn accepted(&self, answer: Response, what: &str) -> Result<()> {
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let told = self.told(answer).await;
        Err(wrong(&format!("The registry does not take {what}: it answers {status}{told}.")))
    }

    /// What a registry says of why it refuses, as far as it is fit to be shown.
    async fn told(&self, answer: Response) -> String {
        let body = self.body(answer, MOST_ELSE).await.unwrap_or_default();
        let read: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let message = read["errors"][0]["message"].as_str().or_else(|| read["errors"][0]["code"].as_str());
        let clean = |text: &str| text.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
        message.map(|message| format!(", and says: {}", clean(message))).unwrap_or_default()
    }

    async fn manifest(&self, which: &str) -> Result<Option<Document>> {
        let url = self.address(&format!("manifests/{which}"))?;
        let found = self.document(url, &format!("{MANIFEST}, {INDEX}")).await?;
        if let (Some(found), Some(hex)) = (&found, which.strip_prefix("sha256:"))
            && Digest::of(&found.bytes).as_str() != hex
        {
            return Err(wrong(&format!("The registry gave other bytes for the manifest {which}.")));
        }
        Ok(found)
    }

    async fn document(&self, url: Url, accept: &str) -> Result<Option<Document>> {
        let answer = self.ask(url, |client, url| client.get(url).header(header::ACCEPT, accept)).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => return Ok(None),
            status => return Err(wrong(&format!("The registry answers {status}{}.", self.told(answer).await))),
        }
        let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        Ok(Some(Document { bytes: self.body(answer, MOST_OF_A_MANIFEST).await?, kind }))
    }

    /// The bytes that a manifest describes, no more and no others.
    async fn blob(&self, about: &Descriptor) -> Result<Bytes> {
        let digest = about.sha256()?;
        let answer = self.ask(self.address(&format!("blobs/sha256:{digest}"))?, |client, url| client.get(url)).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(self.missing("has a manifest, and not what it describes")),
            status => return Err(wrong(&format!("The registry answers {status}{}.", self.told(answer).await))),
        }
        let bytes = self.body(answer, about.size).await?;
        if Digest::of(&bytes) != digest {
            return Err(wrong(&format!("The registry gave other bytes than those whose SHA-256 is {digest}.")));
        }
        Ok(bytes)
    }

    /// Reads an answer to its end, which must come within `most` bytes, and is never silent for long.
    async fn body(&self, mut answer: Response, most: u64) -> Result<Bytes> {
        let too_much = || wrong(&format!("The registry sends more than the {most} bytes that there should be."));
        if answer.content_length().is_some_and(|size| size > most) {
            return Err(too_much());
        }
        let mut read = Vec::new();
        loop {
            let chunk = timeout(self.patience, answer.chunk()).await.map_err(|_| self.silent())?;
            let Some(chunk) = chunk.map_err(|error| self.unreachable(&error))? else { return Ok(read.into()) };
            if (read.len() + chunk.len()) as u64 > most {
                return Err(too_much());
            }
            read.extend_from_slice(&chunk);
        }
    }

    async fn ask(&self, url: Url, request: impl Fn(Client, Url) -> RequestBuilder) -> Result<Response> {
        self.ask_patiently(url, self.patience, request).await
    }

    /// Asks, as who is known if the registry wants that. Redirects are followed; what proves who asks goes to the registry alone.
    async fn ask_patiently(
        &self,
        url: Url,
        patience: Duration,
        request: impl Fn(Client, Url) -> RequestBuilder,
    ) -> Result<Response> {
        let own = self.address("")?.origin();
        let (mut at, mut redirects, mut proven) = (url, 0, false);
        loop {
            let token = self.token.lock().await.clone().filter(|_| at.origin() == own);
            let request = request(self.dial(&at)?, at.clone());
            let request = token.iter().fold(request, |request, token| request.header(header::AUTHORIZATION, token));
            let answer = self.send(request, patience).await?;
            match answer.status() {
                StatusCode::UNAUTHORIZED if !proven && at.origin() == own => {
                    proven = true;
                    self.prove(&answer).await?;
                }
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(self.denied()),
                status if status.is_redirection() => {
                    redirects += 1;
                    let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
                    let next =
                        location.and_then(|location| at.join(location).ok()).filter(|_| redirects <= MOST_REDIRECTS);
                    at = next.ok_or_else(|| wrong("The registry redirects, and it leads nowhere."))?;
                    self.require_tls(&at)?;
                }
                _ => return Ok(answer),
            }
        }
    }

    fn dial(&self, url: &Url) -> Result<Client> {
        self.dial
            .to(url)
            .map_err(|why| Error::new(Code::RegistryUnreachable, format!("This host does not connect there: {why}")))
    }

    /// Makes sure that an address to which the registry sends is as safe as the registry itself.
    fn require_tls(&self, url: &Url) -> Result<()> {
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.plain => Ok(()),
            _ => Err(wrong("The registry sends to an address without TLS.")),
        }
    }

    async fn send(&self, request: RequestBuilder, patience: Duration) -> Result<Response> {
        let sent = timeout(patience, request.send()).await.map_err(|_| self.silent())?;
        sent.map_err(|error| self.unreachable(&error))
    }

    /// Gets what proves who asks, as the registry wants it, and keeps it for what is asked next.
    async fn prove(&self, answer: &Response) -> Result<()> {
        let told = answer.headers().get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let challenge = told.filter_map(Challenge::read).next().ok_or_else(|| self.denied())?;
        let proof = match challenge {
            Challenge::Basic => self.basic(answer.url()).ok_or_else(|| self.denied_at(answer.url()))?,
            Challenge::Bearer { realm, service, scope } => self.token(&realm, service, scope).await?,
        };
        *self.token.lock().await = Some(proof);
        Ok(())
    }

    /// The login as a header, if it may be sent to this address.
    fn basic(&self, to: &Url) -> Option<String> {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let login = self.login.as_ref().filter(|_| may_have_login(self.reference, to))?;
        Some(format!("Basic {}", STANDARD.encode(format!("{}:{}", login.user, login.password.expose()))))
    }

    async fn token(&self, realm: &str, service: Option<String>, scope: Option<String>) -> Result<String> {
        let mut url =
            Url::parse(realm).map_err(|_| wrong("The registry names no address at which it gives tokens."))?;
        self.require_tls(&url)?;
        let scope = scope.unwrap_or_else(|| format!("repository:{}:{}", self.reference.name, self.actions));
        url.query_pairs_mut()
            .extend_pairs(service.iter().map(|service| ("service", service)))
            .append_pair("scope", &scope);
        let basic = self.basic(&url);
        let request = self.dial(&url)?.request(Method::GET, url.clone());
        let request = basic.iter().fold(request, |request, basic| request.header(header::AUTHORIZATION, basic));
        let answer = self.send(request, self.patience).await?;
        if !answer.status().is_success() {
            return Err(self.denied_at(&url));
        }
        let body = self.body(answer, MOST_ELSE).await?;
        let read = serde_json::from_slice::<TokenAnswer>(&body).ok();
        let token = read
            .and_then(|read| read.token.or(read.access_token))
            .ok_or_else(|| wrong("The registry gives no token."))?;
        Ok(format!("Bearer {token}"))
    }

    fn address(&self, rest: &str) -> Result<Url> {
        let scheme = if self.plain { "http" } else { "https" };
        let text = format!("{scheme}://{}/v2/{}/{rest}", self.reference.host(), self.reference.name);
        Url::parse(&text).map_err(Error::internal)
    }

    /// The refusal of who would have had to be known at this address.
    fn denied_at(&self, url: &Url) -> Error {
        if self.login.is_none() || may_have_login(self.reference, url) {
            return self.denied();
        }
        let registry = &self.reference.registry;
        let text = format!(
            "{registry} wants the login at {}, to which it is not sent: it goes to the registry's own host alone, over TLS.",
            url.origin().ascii_serialization()
        );
        Error::new(Code::RegistryDenied, text).with("registry", registry)
    }

    fn denied(&self) -> Error {
        let registry = &self.reference.registry;
        let cure = match (&self.login, self.login_elsewhere) {
            (Some(login), _) => format!("{:?} has no access there, or its password is wrong", login.user),
            (None, true) => {
                "the login is kept by a credential helper, which is not asked: it has to stand in `auths`".into()
            }
            (None, false) => format!("no login is known for it: `docker login {registry}` writes one"),
        };
        let text =
            format!("{registry} refuses access to {}: {cure}. Or there is no such repository.", self.reference.name);
        Error::new(Code::RegistryDenied, text).with("registry", registry)
    }

    fn missing(&self, what: &str) -> Error {
        let text = format!("{}/{} {what}.", self.reference.registry, self.reference.name);
        Error::new(Code::RegistryMissing, text).with("reference", self.reference.to_string())
    }

    fn silent(&self) -> Error {
        let text = format!("{} is silent for {} seconds.", self.reference.registry, self.patience.as_secs());
        Error::new(Code::RegistryUnreachable, text)
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let what = if error.is_connect() { "cannot be reached" } else { "broke off" };
        let text = format!("{} {what}: {}.", self.reference.registry, cause.to_string().trim_end_matches('.'));
        Error::new(Code::RegistryUnreachable, text)
    }
}

/// Whether the login of a registry may be sent to an address: to the registry's own host, or where Docker Hub gives its tokens, and
/// never where others could read it.
fn may_have_login(reference: &Reference, to: &Url) -> bool {
    let host = to.host_str().unwrap_or_default();
    let is_own = Url::parse(&format!("https://{}", reference.host())).is_ok_and(|own| own.host_str() == Some(host));
    let is_hub = reference.registry == "docker.io" && host == "auth.docker.io";
    (is_own || is_hub) && (to.scheme() == "https" || reference.is_loopback())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn g22_a_login_goes_to_the_registry_alone_and_never_in_the_clear() {
        let may = |reference: &str, to: &str| {
            may_have_login(&format!("oci://{reference}/a").parse().unwrap(), &Url::parse(to).unwrap())
        };
        for (reference, to) in [
            ("ghcr.io", "https://ghcr.io/token"),
            ("docker.io", "https://auth.docker.io/token"),
            ("docker.io", "https://registry-1.docker.io/v2/"),
            ("localhost:5000", "http://localhost:5000/token"),
            ("[::1]:5000", "http://[::1]:5000/token"),
            ("registry.example:5000", "https://registry.example:5001/auth"),
        ] {
            assert!(may(reference, to), "{reference} {to}");
        }
        for (reference, to) in [
            ("ghcr.io", "https://ghcr.io.example/token"),
            ("ghcr.io", "https://auth.docker.io/token"),
            ("ghcr.io", "http://ghcr.io/token"),
            ("registry.internal:5000", "http://registry.internal:5000/token"),
            ("localhost:5000", "http://registry.internal/token"),
        ] {
            assert!(!may(reference, to), "{reference} {to}");
        }
    }

    fn proof() -> Proof {
        Proof::Keyed { message: Bytes::from_static(b"x"), signature: Vec::new() }
    }

    #[test]
    fn g23_of_all_that_is_attached_so_many_are_looked_at_and_nothing_twice() {
        let mut found = Signatures::default();
        assert!(found.wants("one".into()) && !found.wants("one".into()));
        found.add(Ok(vec![proof(); 20]));
        found.add(Err("it is about another artefact".into()));
        assert!(found.wants("two".into()));
        found.add(Ok(vec![proof(); 20]));
        assert_eq!((found.proofs.len(), found.len()), (31, MOST_SIGNATURES));
        assert!(!found.wants("three".into()));
    }

    #[test]
    fn g23_what_cannot_be_read_of_what_is_attached_is_noted() {
        let mut found = Signatures::default();
        assert_eq!(found.noted(Ok(1)).unwrap(), Some(1));
        assert_eq!(found.noted::<()>(Err(wrong("Too large."))).unwrap(), None);
        assert_eq!(found.unread, ["Too large."]);
        let silent = Error::new(Code::RegistryUnreachable, "Silent.");
        assert!(found.noted::<()>(Err(silent)).is_err());
    }
}
