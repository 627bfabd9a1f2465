//! The error type of Berth. It knows nothing of HTTP: `api::problem` maps each [`Kind`] to a status.
//!
//! What the caller may know (`code`, `detail`, `fields`) is kept apart from what only the log may know (`source`).

use std::fmt;

/// The kind of a refusal. It decides the HTTP status and the exit code of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request itself is malformed.
    Malformed,
    /// The caller is not identified: there is no valid token or key.
    Unauthenticated,
    /// The caller is identified, and has no grant for this.
    Forbidden,
    /// The object does not exist, or the caller may not know that it does.
    NotFound,
    /// The object existed and was withdrawn.
    Gone,
    /// The state of the object does not allow this.
    Conflict,
    /// A precondition of the request does not hold.
    Precondition,
    /// There are more bytes than the limit, in the request or in what it asks for.
    TooLarge,
    /// The content of the request breaks a rule.
    Invalid,
    /// The caller sent too many requests.
    TooMany,
    /// The request did not arrive in time.
    Timeout,
    /// The host has no disk space left.
    StorageFull,
    /// The host cannot do this now; trying again may help.
    Unavailable,
    /// The host failed by a fault of its own.
    Internal,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $kind:ident, $title:literal;)*) => {
        /// The stable reason of a refusal. Its slug is the `type` of the HTTP problem, and never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $(#[$doc])* $name,)* }

        impl Code {
            /// Every code, for the documentation of problems.
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// The stable name of the code in kebab-case, which is the `type` of the HTTP problem.
            pub fn slug(self) -> &'static str { match self { $(Code::$name => $slug,)* } }

            /// The code with this slug.
            pub fn of(slug: &str) -> Option<Self> { Self::ALL.iter().copied().find(|code| code.slug() == slug) }

            /// A short sentence that is the same for every error with this code.
            pub fn title(self) -> &'static str { match self { $(Code::$name => $title,)* } }

            /// The kind of refusal, which decides the HTTP status.
            pub fn kind(self) -> Kind { match self { $(Code::$name => Kind::$kind,)* } }
        }
    };
}

codes! {
    // requests
    BadRequest = "bad-request", Malformed, "The request could not be read";
    InvalidField = "invalid-field", Invalid, "A field breaks its rule";
    InvalidId = "invalid-id", Malformed, "An id has the wrong form";
    InvalidVersion = "invalid-version", Malformed, "A version has the wrong form";
    InvalidCursor = "invalid-cursor", Malformed, "The page cursor is not one of ours";
    BodyTooLarge = "body-too-large", TooLarge, "The body is over the limit";
    FileTooLarge = "file-too-large", TooLarge, "The file is too large to be shown";
    BodyTimeout = "body-timeout", Timeout, "The body did not arrive in time";
    UnsupportedRange = "range-not-satisfiable", Precondition, "The range lies outside the package";
    NotFound = "not-found", NotFound, "There is no such thing here";
    RouteNotFound = "route-not-found", NotFound, "There is no such address";
    MethodNotAllowed = "method-not-allowed", Malformed, "The address does not take this method";
    UnsupportedMedia = "unsupported-media-type", Malformed, "The body is of a type that this address does not take";
    TooManyRequests = "too-many-requests", TooMany, "Too many requests";
    IdempotencyMismatch = "idempotency-mismatch", Conflict, "The Idempotency-Key was used for another request";
    IdempotencyInProgress = "idempotency-in-progress", Conflict, "The first request with this Idempotency-Key is still running";
    IdempotencyNotKept = "idempotency-not-kept", Conflict, "The first answer is not kept";
    PreconditionFailed = "precondition-failed", Precondition, "A precondition of the request does not hold";

    // access
    MissingToken = "missing-token", Unauthenticated, "A token is needed";
    InvalidToken = "invalid-token", Unauthenticated, "The token is not valid";
    ExpiredToken = "expired-token", Unauthenticated, "The token has expired";
    InvalidHostAppKey = "invalid-host-app-key", Unauthenticated, "The host app key is not valid";
    MissingGrant = "missing-grant", Forbidden, "The role or the token's scope does not allow this";
    LastAdmin = "last-admin", Conflict, "The last admin cannot be removed";

    AccountDisabled = "account-disabled", Forbidden, "The account is disabled";
    WrongCredentials = "wrong-credentials", Unauthenticated, "The sign-in name or the password is wrong";
    SecondFactorRequired = "second-factor-required", Unauthenticated, "The code of the second factor is needed";
    SecondFactorOwed = "second-factor-owed", Forbidden, "A second factor has to be set up first";
    SecondFactorExists = "second-factor-exists", Conflict, "The account has a second factor already";
    NoPassword = "no-password", Conflict, "The account has no password";
    LastWayIn = "last-way-in", Conflict, "The person could not sign in any more";
    NoSignInProvider = "no-sign-in-provider", NotFound, "The host has no identity provider";
    SignInOver = "sign-in-over", Invalid, "The visit of the identity provider is over";
    ProviderDeclined = "provider-declined", Forbidden, "The identity provider has not signed the person in";
    ProviderNotLinked = "provider-not-linked", Forbidden, "No account is linked to who has signed in";
    ProviderSubjectTaken = "provider-subject-taken", Conflict, "Another account is linked to who has signed in";
    MemberUnknown = "member-unknown", Forbidden, "The address book does not have who has signed in";
    MemberOther = "member-other", Forbidden, "The member is somebody else at the identity provider";
    MemberInactive = "member-inactive", Forbidden, "The member is not active";
    PasswordRefused = "password-refused", Invalid, "The password is too easy to guess";
    SignInNameTaken = "sign-in-name-taken", Conflict, "Another account has the sign-in name";
    InvalidInvitation = "invalid-invitation", NotFound, "The invitation is not valid";
    InvitationLimit = "invitation-limit", Conflict, "Too many invitations are open";

    // AppSecrets and users
    AppSecretExists = "app-secret-exists", Conflict, "The MiniApp has an AppSecret already";
    NoAppSecret = "no-app-secret", NotFound, "The MiniApp has no AppSecret";
    InvalidAppSecret = "invalid-app-secret", Unauthenticated, "The MiniApp or its AppSecret is not valid";
    AppSecretFrozen = "app-secret-frozen", Forbidden, "The AppSecret is frozen";
    InvalidServerToken = "invalid-server-token", Unauthenticated, "The server token is not valid";
    InvalidLoginCode = "invalid-login-code", Invalid, "The login code is not valid";
    NotPartners = "not-partners", Conflict, "The teams have not agreed that the one MiniApp is the other's partner";
    RecognisedOtherwise = "recognised-otherwise", Conflict, "The user or the person is recognised otherwise";
    LoginEntryFixed = "login-entry-fixed", Conflict, "The provider of a login entry does not change";
    LoginEntryLimit = "login-entry-limit", Conflict, "The MiniApp has too many login entries";
    LoginProviderWrong = "login-provider-wrong", Conflict, "The login provider does not answer as it should";
    LoginProviderUnreachable = "login-provider-unreachable", Unavailable, "The login provider gives no answer";
    InvalidAuthorisedLogin = "invalid-authorised-login", Invalid, "The code of the authorised login is not valid";
    LoginSubjectTaken = "login-subject-taken", Conflict, "Another user is bound to who has logged in";

    // subscription messages
    MessageTemplateExists = "message-template-exists", Conflict, "The MiniApp has the template with these keywords";
    MessageTemplateLimit = "message-template-limit", Conflict, "The MiniApp has too many templates";
    MessageKindsMixed = "message-kinds-mixed", Invalid, "One-time and long-term templates are asked for together";
    MessageNoConsent = "message-no-consent", Conflict, "The user allows no message of this template";
    MessageQuota = "message-quota", Conflict, "The user has had all messages of this template for today";
    MessageField = "message-field", Invalid, "A field of the message does not fit";
    MessageState = "message-state", Conflict, "The message's state does not allow this";

    // privacy
    PrivacyIncomplete = "privacy-incomplete", Conflict, "The draft of the privacy agreement lacks something";
    PrivacyUnchanged = "privacy-unchanged", Conflict, "The privacy agreement has not changed";

    // packages
    PackageName = "package-name", Malformed, "The package name is not {mini_app_id}_{version}.apkg";
    PackageArchive = "package-archive", Invalid, "The archive is damaged or ambiguous";
    PackagePath = "package-path", Invalid, "A path in the archive is not allowed";
    PackageLimit = "package-limit", Invalid, "The archive is over a limit";
    PackageManifest = "package-manifest", Invalid, "The manifest breaks its rule";
    PackageMismatch = "package-mismatch", Invalid, "The manifest disagrees with the name";
    PackageDamaged = "package-damaged", Unavailable, "The stored package is damaged and is not served";

    // mini apps, versions, audits
    MiniAppExists = "mini-app-exists", Conflict, "The id is taken";
    MiniAppOffShelf = "mini-app-off-shelf", Conflict, "The MiniApp is off the shelf";
    PackageOffShelf = "package-off-shelf", Gone, "The MiniApp is off the shelf";
    NotOnline = "not-online", NotFound, "The MiniApp has no online version";
    HostAppExists = "host-app-exists", Conflict, "The id is taken";
    TeamLimit = "team-limit", Conflict, "The account is in too many teams to create one more";
    MerchantExists = "merchant-exists", Conflict, "The id is taken";
    VersionExists = "version-exists", Conflict, "The version exists with other bytes";
    VersionState = "version-state", Conflict, "The version's state does not allow this";
    VersionOrder = "version-order", Conflict, "The version is not above the online version";
    BelowMinVersion = "below-min-version", Conflict, "The version is below the minimum usable version";
    GuardSuspended = "guard-suspended", Conflict, "A guard has stopped a gray task of the version";
    VersionPrerelease = "version-prerelease", Conflict, "A pre-release version cannot be submitted or published";
    NoHostApp = "no-host-app", Conflict, "The MiniApp is bound to no host app";
    NeverOnline = "never-online", Conflict, "The version was never online";
    RollbackTwice = "rollback-twice", Conflict, "A rollback may not follow a rollback";
    TrialEntry = "trial-entry", Invalid, "The entry path is not a page of the package";
    NoteRequired = "note-required", Invalid, "A rejection needs a note";
    AuditClosed = "audit-closed", Conflict, "The audit is closed or not open for decisions yet";

    // settings of MiniApps in host apps
    NotBound = "not-bound", Conflict, "The MiniApp is not bound to the host app";
    PermitExists = "permit-exists", Conflict, "There is such a permit already";
    PermitState = "permit-state", Conflict, "The permit's state does not allow this";

    // channels and organisation nodes
    NameTaken = "name-taken", Conflict, "Another one has the name";
    ChannelExists = "channel-exists", Conflict, "The merchant has the channel already";
    ChannelTaken = "channel-taken", Conflict, "Another merchant has the channel";
    ChannelBound = "channel-bound", Conflict, "The channel is bound to an endpoint application";
    OrgNodeExists = "org-node-exists", Conflict, "The id is taken";
    OrgNodeCycle = "org-node-cycle", Conflict, "The node cannot be below itself";
    OrgNodeInUse = "org-node-in-use", Conflict, "There are nodes below the node";
    OrgNodeNotOpen = "org-node-not-open", Conflict, "No product instance of the endpoint application is open on the node";

    // official accounts
    OfficialAccountExists = "official-account-exists", Conflict, "The official account is here already";
    OfficialAccountInUse = "official-account-in-use", Conflict, "Fans are bound to the official account";
    OfficialAccountRetired = "official-account-retired", Conflict, "The official account is retired";
    OfficialAccountLimit = "official-account-limit", Conflict, "There are too many of them";
    InvalidVisitCode = "invalid-visit-code", Invalid, "The code of the visit is not valid";
    FanTaken = "fan-taken", Conflict, "Another member is bound to the OpenID";
    NoFan = "no-fan", Conflict, "The member is bound to no official account that can be used";

    // workspaces
    WorkspaceExists = "workspace-exists", Conflict, "The id is taken";
    WorkspaceInternal = "workspace-internal", Conflict, "An application is for members only";
    WorkspaceLimit = "workspace-limit", Conflict, "The workspace has too many of them";
    AddressBookKept = "address-book-kept", Conflict, "The address book is kept by something else";
    DirectoryDenied = "directory-denied", Conflict, "The directory refuses this host";
    DirectoryUnreachable = "directory-unreachable", Unavailable, "The directory gives no answer";
    DirectoryWrong = "directory-wrong", Conflict, "The directory does not answer as it should";
    DirectoryTooMuch = "directory-too-much", Conflict, "A sync would take away too much";
    DirectoryPush = "directory-push", Unauthenticated, "The push is not one of the directory's";
    ContactExists = "contact-exists", Conflict, "The workspace has a contact with this external id";

    // SCIM
    ScimFilter = "scim-filter", Malformed, "The filter cannot be asked";
    ScimSyntax = "scim-syntax", Malformed, "The body is not what SCIM expects";
    ScimPath = "scim-path", Malformed, "The path leads nowhere";
    ScimNoTarget = "scim-no-target", Malformed, "The path chooses nothing";
    ScimValue = "scim-value", Malformed, "A value does not fit its attribute";
    ScimMutability = "scim-mutability", Malformed, "The attribute cannot be changed like this";
    ScimUniqueness = "scim-uniqueness", Conflict, "Another resource has the value";

    // grayscale
    GrayFirstRelease = "gray-first-release", Conflict, "A first release cannot be gray";
    GrayState = "gray-state", Conflict, "The task's state does not allow this";
    GrayNarrows = "gray-narrows", Conflict, "A task that has started can only be widened";
    GrayLimit = "gray-limit", Conflict, "Too many tasks of the MiniApp have not ended";
    GrayPeriod = "gray-period", Invalid, "The period of the task is not possible";
    CohortInvalid = "cohort-invalid", Invalid, "The list cannot be used";

    // endpoint applications
    EndpointDefault = "endpoint-default", Conflict, "The default endpoint application holds what is active";
    EndpointEmpty = "endpoint-empty", Conflict, "An endpoint application holds at least one product instance";
    EndpointInUse = "endpoint-in-use", Conflict, "Channels are bound to the endpoint application";
    FulfilmentSettled = "fulfilment-settled", Conflict, "The message does not wait any more";
    ProductUnsubscribed = "product-unsubscribed", Conflict, "The product instance is unsubscribed";

    // policies
    PolicyInvalid = "policy-invalid", Invalid, "The wasm is not a policy";
    PolicyCompile = "policy-compile", Invalid, "The policy could not be compiled within the limits";
    PolicyConfig = "policy-config", Invalid, "The config does not satisfy the policy's schema";
    PolicyKind = "policy-kind", Invalid, "The policy is of another kind";
    PolicyExists = "policy-exists", Conflict, "The version of the policy is installed with other bytes";
    PolicyBound = "policy-bound", Conflict, "The place has the policy already";
    PolicyInUse = "policy-in-use", Conflict, "The policy is bound";
    PolicyUnsigned = "policy-unsigned", Conflict, "The policy is not signed as it has to be here";
    PolicySignatureWrong = "policy-signature-wrong", Invalid, "No key that is trusted has made the signature";
    TrustedKeyExists = "trusted-key-exists", Conflict, "The key or its name is there already";
    RegistryDenied = "registry-denied", Conflict, "The registry refuses this host";
    RegistryMissing = "registry-missing", Conflict, "The registry does not have it";
    RegistryUnreachable = "registry-unreachable", Unavailable, "The registry gives no answer";
    RegistryWrong = "registry-wrong", Conflict, "The registry does not answer as it should";
    NoCheckRecord = "no-check-record", Conflict, "No record is kept of the devices that ask for the MiniApp";
    ReplayRunning = "replay-running", Unavailable, "Another replay of a policy is running on this host";

    // webhooks
    EventsGone = "events-gone", Gone, "The events after this number are not kept any more";
    WebhookLimit = "webhook-limit", Conflict, "There are too many webhooks";

    // the host
    AuthorisationState = "authorisation-state", Conflict, "The state of the authorisation does not allow this";
    AuthorisationRevoked = "authorisation-revoked", Conflict, "The merchant has taken the authorisation back";
    ChannelKindMismatch = "channel-kind-mismatch", Conflict, "The account that was authorised is of another kind";
    WechatPush = "wechat-push", Unauthenticated, "The push is not one of WeChat's";
    WechatNotSetUp = "wechat-not-set-up", Conflict, "This host has no WeChat third-party platform";
    WechatRefused = "wechat-refused", Conflict, "WeChat refuses";
    WechatUnreachable = "wechat-unreachable", Unavailable, "WeChat gives no answer";
    LogQueueFull = "log-queue-full", Unavailable, "The log store is behind, and no more entries can wait for it";
    SecretSealed = "secret-sealed", Unavailable, "A stored secret cannot be opened";
    StorageFull = "storage-full", StorageFull, "The host has no room left";
    Unavailable = "unavailable", Unavailable, "The host cannot do this now";
    Internal = "internal", Internal, "Something went wrong here";
}

/// The member that [`Error::retry_after`] adds.
pub const RETRY_AFTER_FIELD: &str = "retry_after_seconds";

/// A refusal or a failure: what the caller is told, and what only the log is told.
pub struct Error {
    /// The stable reason.
    pub code: Code,
    /// What is wrong here and what to do about it, for the caller.
    pub detail: String,
    /// Further members for programs: the values that disagree, the limit, the offending path.
    pub fields: serde_json::Map<String, serde_json::Value>,
    /// The cause. Only the log shows it.
    pub source: Option<anyhow::Error>,
}

/// A result whose error is an [`Error`], unless another one is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with the words for the caller.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), fields: serde_json::Map::new(), source: None }
    }

    /// A failure of the host itself: the caller learns nothing of the cause, and the log shows all of it.
    pub fn internal(source: impl Into<anyhow::Error>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(Code::Internal, "The host failed. The request id leads to the reason in its log.")
        }
    }

    /// The error `not-found`: there is no `what` called `id`, or the caller may not know of it. The member `what` says
    /// the same to programs.
    pub fn not_found(what: &str, id: impl fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("There is no {what} {id} here, or you have no access to it."))
            .with("what", what)
    }

    /// The error `invalid-field`: the member `name` of a body breaks `rule`. A member of a member is named `scope.id`;
    /// `pointer` says the same as a JSON pointer (RFC 6901).
    pub fn field(name: &str, rule: impl fmt::Display) -> Self {
        Self::parameter(name, rule).with("pointer", format!("/{}", name.replace('.', "/")))
    }

    /// The error `invalid-field` for what is no member of a body: a header, a parameter of a query or a setting.
    pub fn parameter(name: &str, rule: impl fmt::Display) -> Self {
        Self::new(Code::InvalidField, format!("{name}: {rule}")).with("field", name)
    }

    /// Adds a member for programs. One with the same name is replaced.
    pub fn with(mut self, name: &str, value: impl serde::Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or(serde_json::Value::Null);
        self.fields.insert(name.into(), value);
        self
    }

    /// Names the command to give next, as a member for programs; the command line prints it, ready to paste.
    pub fn next(self, command: impl fmt::Display) -> Self {
        self.with("next", command.to_string())
    }

    /// Says after how many seconds to try again: as a member for programs, and over HTTP as the header `Retry-After`.
    pub fn retry_after(self, seconds: u64) -> Self {
        self.with(RETRY_AFTER_FIELD, seconds)
    }

    /// After how many seconds to try again, if it says so.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.fields.get(RETRY_AFTER_FIELD)?.as_u64()
    }

    /// Sets the cause, which only the log shows.
    pub fn caused_by(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same for somebody else. The cause, which cannot be cloned and is there for the log, stays here.
    pub fn copy(&self) -> Self {
        Self { code: self.code, detail: self.detail.clone(), fields: self.fields.clone(), source: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.code.slug())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        match &self.source {
            Some(source) => write!(f, ": {source:#}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
