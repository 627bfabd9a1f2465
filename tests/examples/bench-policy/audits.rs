//! All auditors that come with Berth, over one mini-program of 8 MB: as a host runs them, and natively.

use std::{
    io::{Cursor, Write},
    sync::Arc,
    time::Instant,
};

use berth_judge::{BoundAuditor, Compiler, Engine, EngineConfig, Subject, builtin};
use berth_model::policy::{self, Contents, Limits, PolicyKind};
use berth_package::Archive;
use berth_policy::{Auditor, File, Package, ReadError};
use serde_json::json;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{Counts, Result, Row, millis};

/// An auditor that is called natively, and tells how much it has found.
type Native = fn(&dyn Package) -> Result<usize, String>;

const AUDITORS: [(&str, Native); 7] = [
    ("package-structure", natively::<berth_policy_package_structure::PackageStructure>),
    ("size-limits", natively::<berth_policy_size_limits::SizeLimits>),
    ("dynamic-code", natively::<berth_policy_dynamic_code::DynamicCode>),
    ("secrets", natively::<berth_policy_secrets::Secrets>),
    ("server-domains", natively::<berth_policy_server_domains::ServerDomains>),
    ("sensitive-apis", natively::<berth_policy_sensitive_apis::SensitiveApis>),
    ("privacy", natively::<berth_policy_privacy::Privacy>),
];

fn natively<P: Auditor>(package: &dyn Package) -> Result<usize, String> {
    P::from_json("{}")?.audit(package).map(|findings| findings.len())
}

/// The package of a host, for auditors that run natively.
struct Read(Arc<Subject>);

impl Package for Read {
    fn mini_app_id(&self) -> String {
        self.0.mini_app_id().into()
    }
    fn version(&self) -> String {
        self.0.version().into()
    }
    fn size(&self) -> u64 {
        self.0.size()
    }
    fn manifest_path(&self) -> String {
        self.0.manifest_path().into()
    }
    fn manifest(&self) -> String {
        self.0.manifest().into()
    }
    fn files(&self) -> Vec<File> {
        let file =
            |file: &policy::PackageFile| File { path: file.path.clone(), size: file.size, sha256: file.sha256.into() };
        self.0.files().iter().map(file).collect()
    }
    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, ReadError> {
        Contents::read(&*self.0, path, offset, length).map_err(|error| match error {
            policy::ReadError::NoSuchFile => ReadError::NoSuchFile,
            policy::ReadError::Damaged => ReadError::Damaged,
        })
    }
}

const PAGES: usize = 120;

/// A script as pages have them: state, requests, handlers. The numbers make each another one.
fn script(page: usize, functions: usize) -> String {
    let mut text = format!("const api = 'https://api.example.com/v2';\nconst page = {page};\n");
    for n in 0..functions {
        text += &format!(
            "function load{n}(query, done) {{\n  const url = `${{api}}/items/{page}/{n}?q=${{encodeURIComponent(query)}}`;\n  \
             wx.request({{ url, method: 'GET', success: (res) => {{\n    const items = (res.data.items || []).map((item, at) => \
             ({{ ...item, key: at + {n}, title: item.title ? item.title.trim() : '未命名' }}));\n    if (items.length > {n}) \
             {{ done(null, items.filter((item) => item.price < {page} * {n})); }} else {{ done(new Error('too few: ' + \
             items.length)); }}\n  }}, fail: (error) => done(error) }});\n}}\n"
        );
    }
    text + "Page({ data: { items: [], loading: false }, onLoad(query) { load0(query.q, (error, items) => this.setData({ \
            items, error })); }, onTap(event) { wx.navigateTo({ url: '/pages/p0/index?id=' + event.currentTarget.dataset.id }); } });\n"
}

fn markup(page: usize) -> String {
    let row = |n: usize| {
        format!(
            "<view class=\"row row-{n}\" wx:for=\"{{{{items}}}}\" wx:key=\"key\" bindtap=\"onTap\" data-id=\"{page}-{n}\">\n  \
             <image src=\"/images/{}.png\" mode=\"aspectFill\" /><text>{{{{item.title}}}}</text>\n</view>\n",
            n % 20
        )
    };
    (0..60).map(row).collect()
}

fn style() -> String {
    (0..120).map(|n| format!(".row-{n} {{ display: flex; padding: {n}rpx; color: #3{n:05x}; }}\n")).collect()
}

/// A mini-program of 120 pages, pictures and a bundle of libraries: 8 MB when it is inflated.
fn mini_program() -> Result<Vec<u8>> {
    let pages: Vec<_> = (0..PAGES).map(|page| format!("pages/p{page}/index")).collect();
    let mut files = vec![
        ("app.json".into(), json!({"pages": pages, "window": {}}).to_string().into_bytes()),
        ("app.js".into(), b"App({ onLaunch() { require('./vendor/bundle.js'); } });".to_vec()),
        ("app.wxss".into(), style().into_bytes()),
        ("vendor/bundle.js".into(), script(PAGES, 1_800).replace("Page(", "module.exports = (").into_bytes()),
    ];
    for (page, path) in pages.iter().enumerate() {
        files.push((format!("{path}.js"), script(page, 60).into_bytes()));
        files.push((format!("{path}.wxml"), markup(page).into_bytes()));
        files.push((format!("{path}.wxss"), style().into_bytes()));
        files.push((format!("{path}.json"), b"{\"usingComponents\": {}}".to_vec()));
    }
    for picture in 0..20_u32 {
        let noise = (0..20_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) ^ picture).to_le_bytes()[2]);
        files.push((format!("images/{picture}.png"), b"\x89PNG\r\n\x1a\n".iter().copied().chain(noise).collect()));
    }
    let mut package = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        package.start_file(path, SimpleFileOptions::default())?;
        package.write_all(&bytes)?;
    }
    Ok(package.finish()?.into_inner())
}

async fn bind(engine: &Engine) -> Result<Vec<BoundAuditor>> {
    let mut bound = Vec::new();
    for (name, _) in AUDITORS {
        let policy = builtin::ALL.iter().find(|policy| policy.name == name).ok_or(name)?;
        let limits = Limits::largest_of(PolicyKind::Auditor);
        bound.push(engine.inspect(policy.wasm.to_vec()).await?.bind_auditor(&json!({}), limits)?);
    }
    Ok(bound)
}

/// Milliseconds of each auditor, one after another, with what each has found.
async fn ours(auditors: &[BoundAuditor], package: &Arc<Subject>) -> Result<Vec<(f64, usize)>> {
    let mut took = Vec::new();
    for auditor in auditors {
        let start = Instant::now();
        let asked = auditor.audit(package.clone()).await;
        let name = &auditor.policy().description().name;
        let trouble = asked.outcome.trouble().unwrap_or_default();
        let found = asked.outcome.verdict().ok_or_else(|| format!("{name}: {trouble}"))?;
        took.push((millis(start.elapsed()), found.len()));
    }
    Ok(took)
}

fn beside(package: &Arc<Subject>) -> Result<Vec<(f64, usize)>> {
    let read = Read(package.clone());
    let one = |(_, audit): &(&str, Native)| -> Result<(f64, usize)> {
        let start = Instant::now();
        let found = audit(&read)?;
        Ok((millis(start.elapsed()), found))
    };
    AUDITORS.iter().map(one).collect()
}

pub async fn measure(counts: &Counts) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let engine = Engine::new(EngineConfig::new(folder.path().into(), Compiler::InProcess))?;
    let auditors = bind(&engine).await?;
    let archive = Archive::open(mini_program()?, &berth_package::Limits::default())?;
    let package = Arc::new(Subject::of(archive, &"coffee_1.0.0.apkg".parse()?)?);
    let inflated: u64 = package.files().iter().map(|file| file.size).sum();
    let load =
        format!("{} files, {inflated} bytes inflated, one auditor after another; goal ≤ 2", package.files().len());
    let mut all = Row::new("audit-8mb", "ms", load);
    let mut each = AUDITORS.map(|(name, _)| Row::new(name, "ms", "the same package"));
    for round in 0..=counts.rounds {
        let (ours, beside) = (ours(&auditors, &package).await?, beside(&package)?);
        let sum = |took: &[(f64, usize)]| took.iter().map(|(millis, _)| millis).sum::<f64>();
        for (row, (ours, beside)) in each.iter_mut().zip(ours.iter().zip(&beside)) {
            if ours.1 != beside.1 {
                return Err(format!("{}: {} findings here, {} natively", row.name, ours.1, beside.1).into());
            }
            row.note(round, ours.0, beside.0);
        }
        all.note(round, sum(&ours), sum(&beside));
    }
    each.into_iter().for_each(Row::end);
    all.end();
    Ok(())
}
